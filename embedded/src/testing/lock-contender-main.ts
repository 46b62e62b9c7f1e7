import { type InstanceLock, takeInstanceLock } from '../supervisor/instance-lock'

// Asked by the test, takes the lock whose file is named on the command line, or gives it back.
const [file = ''] = process.argv.slice(2)
let held: InstanceLock | undefined

async function take(): Promise<string> {
  try {
    held = (await takeInstanceLock(file, 'the-folder')).lock
    return 'taken'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

process.on('message', (message) => {
  if (message === 'take') void take().then((answer) => process.send?.(answer))
  if (message === 'release') {
    held?.release()
    held = undefined
    process.send?.('released')
  }
})
process.on('disconnect', () => process.exit(0))
process.send?.('here')
