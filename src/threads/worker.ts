// What runs in a thread: it loads the module of a task and calls the function.
import { getPriority, platform, setPriority } from 'node:os'
import { findUncloneable } from './cloneable.ts'
import type { TaskResult, TaskMessage } from './task.ts'
import { serializeError } from './serialize-error.ts'

/** How much nicer a thread is than the loop, by the measure of nice(2). */
const nicer = 10

// Where a core is short whoever answers requests comes first. Elsewhere than on Linux a priority is of the whole
// process.
if (platform() === 'linux') setPriority(Math.min(19, getPriority() + nicer))

type Exports = Readonly<Record<string, unknown>>
type Load = (href: string) => Promise<Exports>

const load: Load = href => import(href) as Promise<Exports>

/** Does one task; never throws, since an error that is thrown here would lose what it is. */
export default async function work({ href, name, loader, given }: TaskMessage): Promise<TaskResult> {
  try {
    const loadIt = loader === undefined ? load : ((await import(loader)) as { readonly load: Load }).load
    const author = (await loadIt(href))[name]
    if (typeof author !== 'function') return { missing: true }
    const value: unknown = await author(...given)
    const fault = findUncloneable(value, 'what it returns')
    return fault === undefined ? { value } : { fault }
  } catch (error) {
    return { thrown: serializeError(error) }
  }
}
