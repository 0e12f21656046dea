import type { DefinitionFault } from '../../definitions/definitions-error.ts'
import type { ReloadAnswer } from './reload-messages.ts'
import type { WorkerProcess } from './worker-process.ts'

/** The fault of a reload whose files are written meanwhile. */
export const changedFault: DefinitionFault = {
  file: 'the definitions',
  reason: 'their files changed while the workers loaded them: reload them again',
}

/** The fault of a reload after all workers have exited, if those that follow do not start. */
export const unservedFault: DefinitionFault = {
  file: 'all workers',
  reason: 'have exited, and those that replace them do not start: the log has their faults',
}

/** The name of the file of a fault that only one of several workers has found, or that no file has caused. */
const anyWorker = 'a worker'

const noAnswer = 'gave no answer when the definitions were loaded'

/** Returns the answer of a worker that gives none. */
export function noAnswerOf({ number }: WorkerProcess): ReloadAnswer {
  return { faults: [`worker ${number} ${noAnswer}`] }
}

/** Returns the fault of the definitions that a worker has found. Its text begins with the name of the file. */
export function asOwnFault(fault: DefinitionFault): DefinitionFault {
  const { reason } = fault
  const end = reason.indexOf(': ')
  return end < 0 || reason.endsWith(noAnswer) ? fault : { file: reason.slice(0, end), reason: reason.slice(end + 2) }
}

/** Returns a fault that a worker has found. */
export function asWorkerFault(reason: string): DefinitionFault {
  return { file: anyWorker, reason }
}
