import { programsOf } from '../supervisor/programs'
import { runUntilSignal } from '../supervisor/run-until-signal'

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
// The supervisor of another product than ours: the folder named on the command line.
void runUntilSignal(programsOf(process.argv[2] ?? ''), process.env)
