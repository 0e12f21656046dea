import { channel } from 'node:diagnostics_channel'
import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Offloaded } from '../../threads/threads.ts'
import { Abortable } from '../../core/abort.ts'
import type { DeepReadonly } from '../../core/freeze.ts'
import type { Chain } from '../chain.ts'
import type { Asked, Skip, TypeErrorMessage } from '../inference.ts'
import { offloading, currentInvocation } from './invocation.ts'
import { StepArgs } from '../step-args.ts'

type AnyFunction = (...given: never) => unknown
type AnyModule = Readonly<Record<string, AnyFunction>>
type IsAny<T> = 0 extends 1 & T ? true : false

/** The names of a module's functions. */
export type FunctionsOf<M> = { [K in keyof M & string]: M[K] extends AnyFunction ? K : never }[keyof M & string]
type IsOne<K, All = K> = K extends unknown ? ([All] extends [K] ? true : false) : never
/** True if a parameter has a field `K` by name. A parameter with arbitrary fields does not count. */
type HasField<T, K extends string> = string extends keyof T ? false : K extends keyof T ? true : false
type Unsent<T> =
  IsAny<T> extends true ? never : Extract<T, Asked | Chain<unknown> | Skip | readonly (Asked | Chain<unknown>)[]>

/**
 * The type of the offloaded function of `F`. It has the same parameters and returns a promise of the result. Its
 * arguments may be readonly, because the thread gets a copy of them.
 */
export type OffloadedFunction<F> = F extends (...given: infer P) => infer R
  ? HasField<P[0], 'signal'> extends true
    ? TypeErrorMessage<'a thread receives no signal: remove signal from the parameters of the function'>
    : HasField<P[0], 'ask'> extends true
      ? TypeErrorMessage<'a thread cannot ask: ask in the step, and pass the answer to the function'>
      : Sendable<P, Awaited<R>>
  : never
type Sendable<P extends readonly unknown[], R> = [Unsent<R>] extends [never]
  ? (...given: { [K in keyof P]: DeepReadonly<P[K]> }) => Promise<R>
  : TypeErrorMessage<'a thread cannot return a call or skip: return data'>

/** The offloaded function of the export `K` of a module. */
type Named<M, K extends keyof M> = [IsOne<K>] extends [true]
  ? OffloadedFunction<M[K]>
  : TypeErrorMessage<"the module exports several functions: name one, offload<typeof import(…), 'name'>(url, 'name')">

/** The declaration of a function that runs in a thread. */
export interface OffloadSpec {
  readonly file: string
  readonly name: string
  /** The module that loads the file in a thread; set by the loader of definitions. */
  loader: string | undefined
  /** True if the file is known to export the function. */
  isChecked: boolean
}

const definition: unique symbol = Symbol('headwaters.offload')

/** The diagnostics channel on which each offloaded function is published. */
export const offloads = channel('headwaters.offload')

/**
 * Returns a function that runs an exported function of another module in a thread. It can be the merge of an aggregate,
 * the function of a step, or be called from one of these. It is stopped when its run ends. `M` is the type of the
 * module. A module with several functions needs the name as a type too:
 * `offload<typeof import('./ranking.ts'), 'rank'>`.
 *
 * @param module The URL of the module's file, from `new URL('./ranking.ts', import.meta.url)`.
 * @param name The name of the exported function.
 * @returns A function with the same parameters that returns a promise of the result. The promise rejects with the error
 *   of the function, with `THREADS_FULL`, or with the reason for which the run ended.
 * @throws `TypeError` for an empty name, a URL that is not of a file, and a file that does not exist.
 * @example
 * ```ts
 * import { offload } from 'headwaters'
 *
 * interface Ranking {
 *   rank(given: { readonly words: readonly string[] }): { readonly first: string }
 * }
 * // With the file itself: offload<typeof import('./ranking.ts')>(…)
 * export const rank = offload<Ranking>(new URL('./ranking.ts', import.meta.url), 'rank')
 * ```
 */
export function offload<M = AnyModule, const K extends FunctionsOf<M> = FunctionsOf<M>>(
  module: URL,
  name: K,
): Named<M, K> {
  const spec: OffloadSpec = { file: fileOf(module, name), name, loader: undefined, isChecked: false }
  offloading.isUsed = true
  offloads.publish(spec)
  const offloaded = (...given: unknown[]) => {
    const value = run(spec, given)
    // The task may fail while the caller awaits another promise. Without this handler the rejection is unhandled and
    // ends the process. The code that awaits the value later still gets the error.
    value.catch(() => {})
    return value
  }
  return Object.assign(offloaded, { [definition]: spec }) as unknown as Named<M, K>
}

/** Returns the declaration of an offloaded function; undefined for any other function. */
export function offloadOf(handler: unknown): OffloadSpec | undefined {
  return (handler as { readonly [definition]?: OffloadSpec } | undefined)?.[definition]
}

/** Stops a task when its run is aborted. */
class TaskAbort extends Abortable {
  readonly #task: Offloaded

  constructor(task: Offloaded) {
    super()
    this.#task = task
  }

  override onAbort(reason: unknown): void {
    this.#task.stop(reason)
  }
}

async function run({ file, name, loader }: OffloadSpec, given: readonly unknown[]): Promise<unknown> {
  const invocation = currentInvocation.getStore()
  if (invocation === undefined)
    throw new TypeError(
      `offload '${name}': it was called outside a run: call it from a step, a ` +
        `hook or a merge, or import ${file} and call its function directly`,
    )
  const { abort, owner, runtime, startsAfterAbort } = invocation
  if (abort.aborted && !startsAfterAbort) throw abort.reason
  const task = runtime.offload({ href: pathToFileURL(file).href, name, loader, owner, given: given.map(plain) })
  const listener = new TaskAbort(task)
  abort.add(listener)
  try {
    return await task.value
  } finally {
    abort.delete(listener)
  }
}

/**
 * Returns the arguments of a step, a hook or a merge without the parts that cannot leave this thread: the signal and
 * `ask`, which are getters of the prototype.
 */
function plain(given: unknown): unknown {
  return given instanceof StepArgs ? Object.fromEntries(Object.entries(given)) : given
}

function fileOf(module: URL, name: string): string {
  const owner = `offload '${String(name)}'`
  if (typeof name !== 'string' || name === '')
    throw new TypeError(
      `${owner}: needs the name of a function: offload(new URL('./merge.ts', import.meta.url), 'merge')`,
    )
  if (!(module instanceof URL) || module.protocol !== 'file:')
    throw new TypeError(`${owner}: needs the URL of a file: new URL('./merge.ts', import.meta.url)`)
  const file = fileURLToPath(module)
  // The URL may name the .ts file although a compiler has written .js, or the .js file although only the .ts file
  // exists.
  const found = [file, file.replace(/\.(m?)ts$/, '.$1js'), file.replace(/\.(m?)js$/, '.$1ts')].find(each =>
    existsSync(each),
  )
  if (found === undefined)
    throw new TypeError(
      `${owner}: the file ${file} does not exist: give its URL relative ` +
        `to this module, for example new URL('./merge.ts', import.meta.url)`,
    )
  return found
}
