import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { aggregate, offload } from '../../../src/fanout/aggregate.ts'
import { fanOut } from '../../../src/fanout/fan-out.ts'
import { currentInvocation } from '../../../src/fanout/offload/invocation.ts'
import type { Task } from '../../../src/threads/task.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from '../../../src/upstream/runtime.ts'
import { failure } from '../../helpers/failure.ts'
import { makeGate } from '../../helpers/gate.ts'
import type * as functions from '../../helpers/offloaded.ts'
import { heldRuntime } from '../../helpers/held-runtime.ts'
import { oracle } from '../../helpers/oracle.ts'
import { problemOf } from '../../helpers/problem-of.ts'

type Functions = typeof functions

const module = new URL('../../helpers/offloaded.ts', import.meta.url)
const Any = z.unknown()
const nothing = offload<Functions, 'nothing'>(module, 'nothing')
const add = offload<Functions, 'add'>(module, 'add')
const same = offload<Functions, 'same'>(module, 'same')
const kinds = offload<Functions, 'kinds'>(module, 'kinds')
const hold = offload<Functions, 'hold'>(module, 'hold')
const failing = offload<Functions, 'failing'>(module, 'failing')
const burn = offload<Functions, 'burn'>(module, 'burn')

function runtimeOf(t: Test, threads: RuntimeOptions['threads'] = { count: 1 }): Runtime {
  const runtime = createRuntime({ threads })
  t.teardown(() => runtime.close())
  return runtime
}

/** A task that the test holds in its hand. */
interface HeldTask extends Task {
  readonly stopped: readonly unknown[]
  readonly done: (value: unknown) => void
}

/** A runtime whose calls and tasks the test ends. */
function heldTasks() {
  const tasks: HeldTask[] = []
  const runtime: Runtime & { readonly at: ReturnType<typeof heldRuntime>['at'] } = {
    ...heldRuntime(),
    offload(task) {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const stopped: unknown[] = []
      tasks.push({ ...task, stopped, done: resolve })
      return {
        value: promise,
        stop(reason) {
          stopped.push(reason)
          reject(reason)
        },
      }
    },
  }
  return { tasks, runtime }
}

/** The limit on the time of a run, in ms. On a busy machine a thread takes seconds to start. */
const deadline = 20_000

test('a merge, a step and what they call may run in threads, and values come as they were', async t => {
  const runtime = runtimeOf(t)
  const described = aggregate('all', { url: '/all', query: z.object({ count: z.coerce.number() }), deadline })
    .context(async ({ query }) => ({ user: await add(query.count, 1) }))
    .required('step', same)
    .optional('inside', async ({ query }) => add(await add(query.count), 10), { fallback: 0 })
    .optional(
      'lost',
      (): null => {
        throw new UpstreamError('UPSTREAM_OFF', 'cats')
      },
      { fallback: Object.freeze({ none: true }) },
    )
    .optional(
      'nothing',
      (): null => {
        throw new UpstreamError('UPSTREAM_OFF', 'cats')
      },
      { fallback: undefined },
    )
    .reply(Any, same)
    .onReply(async ({ context }) => ({ headers: { 'x-sum': String(await add(context.user, 100)) } }))
  const { data, headers, sources } = await fanOut(described, { query: { count: '3' } }, { runtime })
  const input = { params: {}, query: { count: 3 }, body: {}, headers: {}, context: { user: 4 } }
  t.strictSame(data, { ...input, step: input, inside: 14, lost: { none: true }, nothing: undefined })
  t.same(headers, { 'x-sum': '104' })
  t.match(sources, { step: { state: 'ok', attempts: 0 }, lost: { state: 'fallback', code: 'UPSTREAM_OFF' } })
})

test('hooks may be offloaded themselves, and are given no more than data', async t => {
  const runtime = runtimeOf(t)
  const described = aggregate('hooked', { url: '/hooked', deadline })
    .context(kinds)
    .required('step', () => 'a step')
    .reply(Any, kinds)
    .onReply(nothing)
  const { data } = await fanOut(described, {}, { runtime })
  t.same(data, {
    params: 'object',
    query: 'object',
    body: 'object',
    headers: 'object',
    context: 'object',
    step: 'string',
  })
})

test('a value that cannot be sent to a thread is reported with the aggregate, the place and the fix, in the log only', async t => {
  const runtime = runtimeOf(t)
  class User {
    readonly name = 'ada'
  }
  const described = (end: 'step' | 'merge') => {
    const opened = aggregate('users', { url: '/users', deadline }).context(() => ({ user: new User() }))
    return end === 'merge' ? opened.reply(Any, same) : opened.required('who', same).reply(Any, () => 1)
  }
  for (const [end, place] of [
    ['merge', 'merge'],
    ['step', "step 'who'"],
  ] as const) {
    const problem = await problemOf(fanOut(described(end), {}, { runtime }))
    t.match(problem, {
      code: 'INTERNAL',
      statusCode: 500,
      detail: 'The service failed because of an internal error. The cause is in the log.',
    })
    t.match(problem.cause, {
      message:
        `aggregate 'users', ${place}: 'same' runs in a thread, and context.user is an object of the class User, of ` +
        'which the thread would receive only the fields: pass plain data only',
    })
  }
  const signalling = aggregate('signalling', { url: '/s', deadline }).reply(Any, ({ signal }) => same({ signal }))
  t.match((await problemOf(fanOut(signalling, {}, { runtime }))).cause, {
    message: /signal is an object of the class AbortSignal/,
  })
})

test('an error of a thread has the class and the fields that it has without a thread', async t => {
  const runtime = runtimeOf(t)
  const at = (merge: () => Promise<unknown>) =>
    aggregate('thrown', { url: '/thrown', deadline })
      .required('a', () => 1)
      .reply(Any, merge)
  t.match(await problemOf(fanOut(at(offload<Functions, 'refusing'>(module, 'refusing')), {}, { runtime })), {
    code: 'REFUSED',
    statusCode: 404,
    detail: 'Not here.',
  })
  t.match(
    await problemOf(
      fanOut(
        at(() => failing()),
        {},
        { runtime },
      ),
    ),
    { code: 'UPSTREAM_STATUS', statusCode: 502 },
  )
  t.match(await problemOf(fanOut(at(offload<Functions, 'exiting'>(module, 'exiting')), {}, { runtime })), {
    code: 'INTERNAL',
    statusCode: 500,
  })
  const falling = aggregate('falling', { url: '/falling', deadline })
    .optional('a', async (): Promise<number> => failing(), { fallback: 'fallback' })
    .reply(Any, ({ a }) => a)
  t.match(await fanOut(falling, {}, { runtime }), {
    data: 'fallback',
    sources: { a: { state: 'fallback', code: 'UPSTREAM_STATUS' } },
  })
})

test('a run that finds the queue full is refused, and an optional step falls back', async t => {
  const runtime = runtimeOf(t, { count: 1, queue: 0 })
  const gate = makeGate()
  const holding = aggregate('holding', { url: '/h', deadline }).reply(Any, () => hold(gate.cells))
  const held = fanOut(holding, {}, { runtime })
  await gate.came(1)
  const problem = await problemOf(
    fanOut(
      aggregate('sum', { url: '/sum', deadline }).reply(Any, () => add(1)),
      {},
      { runtime },
    ),
  )
  t.match(problem, {
    code: 'THREADS_FULL',
    statusCode: 503,
    retryAfterSeconds: 1,
    detail: "aggregate 'sum', merge has no free thread, and the queue for one is full.",
  })
  const falling = aggregate('falling', { url: '/f', deadline })
    .optional('a', () => add(1), { fallback: 'fallback' })
    .reply(Any, ({ a }) => a)
  t.match(await fanOut(falling, {}, { runtime }), {
    data: 'fallback',
    complete: false,
    sources: { a: { state: 'fallback', code: 'THREADS_FULL' } },
  })
  gate.open()
  t.match(await held, { data: 'held' })
})

test('at the deadline a merge is ended with its thread, and the answer is the one of any other', async t => {
  const runtime = runtimeOf(t)
  const gate = makeGate()
  const described = aggregate('burning', { url: '/b', deadline: 60_000 })
    .required('a', () => 1)
    .reply(Any, () => burn(gate.cells))
  const next = aggregate('next', { url: '/n', deadline: 60_000 }).reply(Any, () => add(1))
  await fanOut(next, {}, { runtime })
  const run = problemOf(fanOut(described, {}, { runtime, deadline: 1500 }))
  await gate.came(1)
  t.match(await run, {
    code: 'DEADLINE_EXCEEDED',
    statusCode: 504,
    detail: 'burning did not end before its deadline: the limit is 1500 ms.',
  })
  t.match(await fanOut(next, {}, { runtime }), { data: 2 }, 'the only thread is free again')
})

test('a task ends with whatever ends its run or its step', async t => {
  const { tasks, runtime } = heldTasks()
  const gone = new AbortController()
  const merging = aggregate('merging', { url: '/m', deadline }).reply(Any, same)
  const left = failure(fanOut(merging, {}, { runtime, signal: gone.signal }))
  const leaving = new Error('the caller has gone')
  gone.abort(leaving)
  t.equal(await left, leaving)
  t.equal(tasks.at(-1)?.stopped[0], leaving, 'the caller has gone')

  const failing = aggregate('failing', { url: '/f', deadline })
    .required('slow', () => same(1))
    .required('sure', () => oracle.ask({ id: 1 }))
    .reply(Any, () => 1)
  const failed = problemOf(fanOut(failing, {}, { runtime }))
  const error = new UpstreamError('UPSTREAM_OFF', 'oracle')
  runtime.at('/1').fail(error)
  t.match((await failed).sources, { slow: { state: 'cancelled' }, sure: { state: 'failed' } })
  const reasons = tasks.at(-1)?.stopped as readonly DOMException[]
  t.equal(String(reasons[0]), 'AbortError: the run has failed', 'a required step has failed')

  const timed = aggregate('timed', { url: '/t', deadline })
    .optional('slow', () => same(1), { fallback: 'late', timeout: 1 })
    .reply(Any, ({ slow }) => slow)
  t.match(await fanOut(timed, {}, { runtime }), { data: 'late', sources: { slow: { code: 'STEP_TIMEOUT' } } })
  t.match(tasks.at(-1)?.stopped, [{ code: 'STEP_TIMEOUT' }], 'the step has')

  const dangling = aggregate('dangling', { url: '/d', deadline })
    .required('a', () => {
      void same(1)
      return 2
    })
    .reply(Any, ({ a }) => a)
  t.match(await fanOut(dangling, {}, { runtime }), { data: 2 })
  t.equal(tasks.at(-1)?.stopped.length, 1, 'no run waits for it')
})

test('nothing listens to a run when its tasks are done', async t => {
  const { tasks, runtime } = heldTasks()
  let size: (() => number) | undefined
  const described = aggregate('sized', { url: '/s', deadline }).reply(Any, async () => {
    const { abort } = currentInvocation.getStore() ?? {}
    size = () => abort?.size ?? -1
    const value = await same(1)
    return [value, size()]
  })
  const run = fanOut(described, {}, { runtime })
  t.equal(size?.(), 1)
  tasks[0]?.done('value')
  t.same((await run).data, ['value', 0])
})

test('a merge of a run at its deadline is still asked, and a step is not', async t => {
  const { tasks, runtime } = heldTasks()
  const described = aggregate('late', { url: '/l', deadline: 20 })
    .optional('slow', () => oracle.ask({ id: 2 }), { fallback: 'fallback' })
    .optional('after', () => same(1), { fallback: 'too late', needs: ['slow'] })
    .reply(Any, same)
  const answering: Runtime = {
    ...runtime,
    offload: task => ({ ...runtime.offload(task), value: Promise.resolve(task.given) }),
  }
  const { data, sources } = await fanOut(described, {}, { runtime: answering })
  t.match(data, [{ slow: 'fallback', after: 'too late' }])
  t.match(sources, { slow: { code: 'DEADLINE_EXCEEDED' }, after: { code: 'DEADLINE_EXCEEDED' } })
  t.equal(tasks.length, 1)
})

test('a merge that begins at the deadline and does not end is a 504, and is stopped', async t => {
  const { tasks, runtime } = heldTasks()
  const described = aggregate('late', { url: '/l', deadline: 20 })
    .optional('slow', () => oracle.ask({ id: 3 }), { fallback: 'fallback' })
    .reply(Any, same)
  t.match(await problemOf(fanOut(described, {}, { runtime })), { code: 'DEADLINE_EXCEEDED', statusCode: 504 })
  t.match(tasks[0]?.stopped[0], { code: 'DEADLINE_EXCEEDED' })
})

test('tasks fail with the runtime that is closed', async t => {
  const runtime = runtimeOf(t)
  const gate = makeGate()
  const run = problemOf(
    fanOut(
      aggregate('cut', { url: '/c', deadline }).reply(Any, () => burn(gate.cells)),
      {},
      { runtime },
    ),
  )
  await gate.came(1)
  await runtime.close()
  t.match(await run, { code: 'RUNTIME_CLOSED', statusCode: 503 })
})

test('an offloaded function that is called outside of a run rejects', async t => {
  t.match(await failure(add(1)), {
    name: 'TypeError',
    message:
      /^offload 'add': it was called outside a run: call it from a step, a hook or a merge, or import .*offloaded\.ts and call its function directly$/,
  })
})

test('a file is found by the name it has, or by that which a compiler gives it', async t => {
  const folder = t.testdir({ 'a.ts': '', 'b.js': '', 'c.mts': '', 'd.mjs': '' })
  const at = (name: string) => pathToFileURL(join(folder, name))
  for (const name of ['a.ts', 'a.js', 'b.js', 'b.ts', 'c.mjs', 'd.mts'])
    t.doesNotThrow(() => offload(at(name), 'x'), name)
  for (const name of ['c.ts', 'none.ts', 'a.cjs'])
    t.throws(() => offload(at(name), 'merge'), {
      name: 'TypeError',
      message:
        `offload 'merge': the file ${join(folder, name)} does not exist: give its URL relative ` +
        `to this module, for example new URL('./merge.ts', import.meta.url)`,
    })
  t.throws(() => offload('./merge.ts' as never, 'merge'), {
    message: "offload 'merge': needs the URL of a file: new URL('./merge.ts', import.meta.url)",
  })
  t.throws(() => offload(new URL('https://cats.test/merge.ts'), 'merge'), { message: /needs the URL of a file/ })
  for (const name of ['', undefined])
    t.throws(() => offload(at('a.ts'), name as never), { message: /needs the name of a function/ })
})

test('a runtime starts as many threads as its option says', async t => {
  t.throws(() => createRuntime({ threads: { count: 0 } }), { message: /^runtime: threads\.count must be .*, got 0$/ })
  t.throws(() => createRuntime({ threads: { queue: -1 } }), { message: /^runtime: threads\.queue must be .*, got -1$/ })
  t.throws(() => createRuntime({ threads: { heapBytes: 1000 } }), {
    message: /^runtime: threads\.heapBytes must be .*, got 1000$/,
  })
  t.throws(() => createRuntime({ threads: { threads: 1 } as never }), {
    message: /^runtime: unknown option 'threads\.threads'/,
  })
  await createRuntime({ threads: { count: 1, queue: 0, heapBytes: 2 ** 28 } }).close()
})
