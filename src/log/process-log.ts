import { Destination, exitFlushMs } from './destination.ts'
import { Redaction } from './redaction.ts'

let destination: Destination | undefined
const redaction = new Redaction()

/**
 * Returns the destination of this process's log, which is stdout. It is opened once, and flushed when the process
 * exits.
 */
export function processLog(): Destination {
  if (destination !== undefined) return destination
  const opened = new Destination()
  destination = opened
  process.on('exit', () => {
    // Node.js waits for its threads when it exits. A thread that is stuck in a write never ends, so the process is
    // killed.
    if (!opened.flushWithin(exitFlushMs)) process.kill(process.pid, 'SIGKILL')
  })
  return opened
}

/**
 * Returns the redaction of this process. All apps share it: with `--watch` the first app also logs events of reloaded
 * definitions, so it must hide their secrets.
 */
export function processRedaction(): Redaction {
  return redaction
}
