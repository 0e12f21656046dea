// The code of a thread. It loads the module of a task and calls the function.
import { getPriority, platform, setPriority } from 'node:os'
import { findUncloneable } from './cloneable.ts'
import type { TaskResult, TaskMessage } from './task.ts'
import { serializeError } from './serialize-error.ts'

/** The niceness of a thread relative to the main thread (nice(2)). */
const nicer = 10

// Give the main thread, which serves requests, priority on a busy core. Only on Linux: other platforms apply a priority
// to the whole process.
if (platform() === 'linux') setPriority(Math.min(19, getPriority() + nicer))

type Exports = Readonly<Record<string, unknown>>
type Load = (href: string) => Promise<Exports>

const load: Load = href => import(href) as Promise<Exports>

/** Runs one task. Never throws: an error that is thrown here would lose its class and its fields. */
export default async function work({ href, name, loader, given }: TaskMessage): Promise<TaskResult> {
  try {
    const loadIt = loader === undefined ? load : ((await import(loader)) as { readonly load: Load }).load
    const author = (await loadIt(href))[name]
    if (typeof author !== 'function') return { missing: true }
    const value: unknown = await author(...given)
    const fault = findUncloneable(value, 'its result')
    return fault === undefined ? { value } : { fault }
  } catch (error) {
    return { thrown: serializeError(error) }
  }
}
