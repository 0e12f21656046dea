import { readFileSync } from 'node:fs'
import process from 'node:process'

/** A process of this machine. A later process with the same id has another start. */
export interface ProcessIdentity {
  readonly pid: number
  /** The boot of the machine and the start of the process, where the system shows them (Linux). Otherwise empty. */
  readonly start: string
}

/** The folder in which Linux shows its processes. */
const procFolder = '/proc'

/**
 * Returns the identity of this process.
 *
 * @param proc The folder of the processes. @default /proc
 */
export function ownIdentity(proc = procFolder): ProcessIdentity {
  return { pid: process.pid, start: startOf(process.pid, proc) ?? '' }
}

/**
 * Returns true if the process runs. A process that was killed and not yet waited for does not run.
 *
 * @param proc The folder of the processes. @default /proc
 */
export function isRunning({ pid, start }: ProcessIdentity, proc = procFolder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // A process of another user cannot be signalled, and runs.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return start === '' || startOf(pid, proc) === start
}

/** The states of a process that has ended, in /proc. */
const endedStates = ['Z', 'X']

function startOf(pid: number, proc: string): string | undefined {
  try {
    const stat = readFileSync(`${proc}/${pid}/stat`, 'utf8')
    // The second field is the name of the program in parentheses, which can have spaces. The 3rd field is the state,
    // and the 22nd the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (endedStates.includes(fields[0] as string)) return undefined
    return `${readFileSync(`${proc}/sys/kernel/random/boot_id`, 'utf8').trim()} ${fields[19]}`
  } catch {
    return undefined
  }
}
