import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { types } from 'node:util'
import type { Piscina } from 'piscina'
import { UpstreamError } from '../errors.ts'
import { findUncloneable } from './cloneable.ts'
import type { Task, TaskMessage, TaskResult } from './task.ts'
import { deserializeError } from './serialize-error.ts'
import { createSemaphore } from './semaphore.ts'

/** The threads of a runtime, in which offloaded functions run. */
export interface ThreadOptions {
  /**
   * The largest number of threads. A thread starts when a task needs it, and ends after 60 s without a task.
   * @default one fewer than there are cores, at least 1
   */
  readonly count?: number
  /** The largest number of tasks that wait for a thread. A further task fails with `THREADS_FULL`. @default 256 */
  readonly queue?: number
  /**
   * The largest heap of a thread, in bytes, at least 64 MiB. A thread that needs more ends, and its task fails.
   * @default the limit of Node.js for a thread
   */
  readonly heapBytes?: number
}

export interface ThreadsOptions extends ThreadOptions {
  /** Called with the error of a thread that ended while it was idle. */
  readonly onError?: ((error: Error) => void) | undefined
}

/** A task that waits for a thread or runs in one. */
export interface Offloaded {
  /** The result of the function. Rejects with its error, with the reason of `stop`, or with an `UpstreamError`. */
  readonly value: Promise<unknown>
  /** Removes the task from the queue, or ends its thread. */
  stop(reason: unknown): void
}

/** The threads of a runtime. The first task starts the first thread. */
export interface Threads {
  run(task: Task): Offloaded
  /** Returns the numbers of tasks that run and that wait for a thread. */
  gauge(): { readonly running: number; readonly queued: number }
  /** Ends every thread. Tasks in progress and later tasks are rejected with `RUNTIME_CLOSED`. */
  close(): Promise<void>
}

/** Time after which an idle thread ends, in ms. */
const idleTimeout = 60_000
const worker = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url))

/**
 * Creates the threads of a runtime. Tasks wait in the queue of a semaphore, which is bounded and first in, first out.
 * The pool never gets more tasks than it has threads. Otherwise tasks would wait in the pool's own queue, which loses
 * them if the last thread ends while it runs a task.
 */
export function createThreads({
  count = Math.max(1, availableParallelism() - 1),
  queue = 256,
  heapBytes,
  onError,
}: ThreadsOptions = {}): Threads {
  const semaphore = createSemaphore(count, queue)
  const live = new Map<AbortController, Task>()
  /** The tasks of the pool that have not ended. */
  const handed = new Map<AbortController, Task>()
  let pool: Promise<Piscina> | undefined
  let closed = false

  async function start(): Promise<Piscina> {
    const { Piscina } = await import('piscina')
    const resourceLimits =
      heapBytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytes / 2 ** 20) } }
    const started = new Piscina({
      filename: worker,
      minThreads: 0,
      maxThreads: count,
      idleTimeout,
      atomics: 'disabled',
      recordTiming: false,
      ...resourceLimits,
    })
    return started.on('error', (error: Error) => {
      try {
        // The embedder's onError may be async. An unhandled rejection would end the process, so ignore it.
        Promise.resolve(onError?.(error) as unknown).catch(() => {})
      } catch {
        // An error that onError throws must not prevent the aborts below.
      }
      // If the pool has no threads, a thread failed to start. The pool does not try again, so fail its tasks.
      if (started.threads.length === 0)
        for (const [controller, task] of handed) controller.abort(explained(error, task))
    })
  }

  async function work(task: Task, controller: AbortController): Promise<unknown> {
    const { signal } = controller
    const { owner, name, given, href, loader } = task
    if (closed) throw new UpstreamError('RUNTIME_CLOSED', owner)
    const fault = findUncloneableArgument(given)
    if (fault !== undefined)
      throw new TypeError(`${owner}: '${name}' runs in a thread, and ${fault}: pass plain data only`)
    await semaphore.acquire(owner, signal)
    let result: TaskResult
    try {
      const threads = await (pool ??= start())
      signal.throwIfAborted()
      handed.set(controller, task)
      result = (await threads.run({ href, name, loader, given } satisfies TaskMessage, { signal })) as TaskResult
    } catch (error) {
      throw signal.aborted ? signal.reason : explained(error as Error, task)
    } finally {
      handed.delete(controller)
      semaphore.release()
    }
    return valueOf(result, task)
  }

  return {
    run(task) {
      const controller = new AbortController()
      live.set(controller, task)
      const value = work(task, controller).finally(() => live.delete(controller))
      return { value, stop: reason => controller.abort(reason) }
    },
    gauge: () => ({ running: semaphore.active, queued: semaphore.queued }),
    async close() {
      closed = true
      for (const [controller, { owner }] of live) controller.abort(new UpstreamError('RUNTIME_CLOSED', owner))
      await (await pool)?.destroy()
    },
  }
}

function findUncloneableArgument(given: readonly unknown[]): string | undefined {
  for (const [index, value] of given.entries()) {
    // Most functions have one parameter, an object. The message then names a field of it, for example `context.user`,
    // without `argument 1`.
    const fault = findUncloneable(value, given.length === 1 && isPlain(value) ? '' : `argument ${index + 1}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function isPlain(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !types.isProxy(value) &&
    Object.getPrototypeOf(value) === Object.prototype
  )
}

/** Returns the error of a task that the pool could not complete. */
function explained(error: Error, { owner, name }: Task): Error {
  return error.name === 'DataCloneError'
    ? new TypeError(`${owner}: '${name}' runs in a thread, and a value cannot be cloned: ${error.message}`, {
        cause: error,
      })
    : new Error(`${owner}: the thread of '${name}' ended before the function returned: ${error.message}`, {
        cause: error,
      })
}

function valueOf(result: TaskResult, { owner, name, href }: Task): unknown {
  if ('value' in result) return result.value
  if ('thrown' in result) throw deserializeError(result.thrown)
  if ('missing' in result) throw new TypeError(`${owner}: ${fileURLToPath(href)} exports no function '${name}'`)
  throw new TypeError(`${owner}: '${name}' runs in a thread, and ${result.fault}: return plain data`)
}
