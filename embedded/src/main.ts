import path from 'node:path'
import { programsOf } from './supervisor/programs'
import { runUntilSignal } from './supervisor/run-until-signal'

// `npm start`: PostgreSQL, an S3 server and every service on this machine, until Ctrl-C.
// The AWS client would say at each start that it will want a newer Node next year.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
void runUntilSignal(programsOf(path.join(__dirname, '..', '..')), process.env)
