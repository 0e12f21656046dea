import { test } from 'tap'
import { DefinitionsError } from '../../../src/definitions/definitions-error.ts'
import type { FilesState } from '../../../src/definitions/files-state.ts'
import type { ReloadStep } from '../../../src/server/cluster/reload-messages.ts'
import type { WorkerProcess } from '../../../src/server/cluster/worker-process.ts'
import { WorkersReload } from '../../../src/server/cluster/workers-reload.ts'
import { failure } from '../../helpers/failure.ts'

type Step = ReloadStep['step']
type Answers = Partial<Record<Step, string | (() => string | Promise<string>)>>

/** The processes of a service that answer the steps of a reload as the test says, and the steps that they got. */
function arrange(...workers: readonly { answers?: Answers; state?: 'starting' | 'stopping' }[]) {
  const steps: string[] = []
  const warnings: unknown[] = []
  let restarts = 0
  const listening = Promise.withResolvers<number>()
  const running = workers.map(({ answers = {}, state = 'running' }, index) => ({
    number: index + 1,
    state: { isListening: state !== 'starting', shown: state },
    listening: listening.promise,
    ask: async (_topic: string, text: string) => {
      const { step } = JSON.parse(text) as ReloadStep
      steps.push(`${index + 1} ${step}`)
      const answer = answers[step]
      if (typeof answer === 'function') return answer()
      return answer === 'silent' ? undefined : (answer ?? '{"faults":[]}')
    },
  })) as unknown as WorkerProcess[]
  const log = { warn: (fields: unknown) => warnings.push(fields), info() {} } as never
  const files: FilesState[] = []
  const started = Promise.withResolvers<void>()
  const restarted = Promise.withResolvers<void>()
  const restart = () => {
    restarts++
    return restarted.promise
  }
  return {
    reload: new WorkersReload({
      running,
      nextWorker: () => started.promise,
      log,
      restart,
      onFiles: each => files.push(each),
      max: 3,
    }),
    files,
    started,
    restarted,
    running,
    steps,
    warnings,
    restarts: () => restarts,
    listening,
  }
}

test('the first worker prepares the definitions alone, then the others do, and then all commit', async t => {
  const { reload, steps, restarts } = arrange({}, {}, { state: 'stopping' })
  await reload.reload()
  t.same(steps, ['1 prepare', '2 prepare', '1 commit', '2 commit'])
  t.equal(restarts(), 0)
})

test('a fault of one worker, a silent worker and an answer that is not valid refuse the change in all workers', async t => {
  for (const [prepare, reason] of [
    ['{"faults":["no.ts: is wrong"]}', 'a worker: no.ts: is wrong'],
    ['silent', 'a worker: worker 2 gave no answer when the definitions were loaded'],
    ['{"faults":[1]}', 'a worker: worker 2 gave no answer when the definitions were loaded'],
    ['null', 'a worker: worker 2 gave no answer when the definitions were loaded'],
  ] as const) {
    const { reload, steps } = arrange({}, { answers: { prepare } })
    const error = await failure(reload.reload())
    t.type(error, DefinitionsError)
    t.equal((error as Error).message, reason)
    t.same(steps, ['1 prepare', '2 prepare', '1 drop', '2 drop'])
  }
})

test('all workers are replaced if one of them does not commit', async t => {
  const { reload, restarts, warnings } = arrange({}, { answers: { commit: 'silent' } })
  await reload.reload()
  t.equal(restarts(), 1)
  t.match(warnings, [{ faults: [/worker 2 gave no answer/] }])
})

test('a worker that stops during a reload, and one that exits before it commits, are replaced and refuse nothing', async t => {
  const { reload, steps, running, restarts, warnings } = arrange(
    {},
    {
      answers: {
        commit: () => {
          Object.assign(running[1] as WorkerProcess, { state: { isListening: true, shown: 'stopping' } })
          return ''
        },
      },
    },
    { answers: { commit: () => (running.pop(), '') } },
  )
  await reload.reload()
  t.same(steps.slice(-3), ['1 commit', '2 commit', '3 commit'])
  t.same([restarts(), warnings], [0, []])
})

test('a worker that starts during a reload reloads when it listens', async t => {
  const { reload, steps, listening } = arrange({}, { state: 'starting' })
  await reload.reload()
  t.same(steps, ['1 prepare', '1 commit'])
  listening.resolve(1)
  await new Promise(setImmediate)
  t.same(steps.slice(2), ['2 prepare', '2 commit'])
})

test('a reload while all workers start waits for one of them', async t => {
  const { reload, steps, running, listening } = arrange({ state: 'starting' }, { state: 'starting' })
  const reloaded = reload.reload()
  await new Promise(setImmediate)
  t.same(steps, [])
  Object.assign(running[0] as WorkerProcess, { state: { isListening: true, shown: 'running' } })
  listening.resolve(1)
  await reloaded
  t.same(steps, ['1 prepare', '1 commit'])
})

test('a reload after all workers have exited waits for the next one, and is refused if it does not start', async t => {
  const { reload, steps, running, listening, started } = arrange({ state: 'starting' })
  const [next] = running.splice(0) as [WorkerProcess]
  const failed = failure(reload.reload())
  await new Promise(setImmediate)
  running.push(next)
  started.resolve()
  await new Promise(setImmediate)
  running.pop()
  listening.reject(new Error('exited'))
  t.match(await failed, { message: /^all workers: have exited/ })
  t.same(steps, [])
})

test('a worker that begins to listen while the others prepare is reloaded too', async t => {
  const { reload, steps, running, listening } = arrange(
    {
      answers: {
        prepare: () => {
          Object.assign(running[1] as WorkerProcess, { state: { isListening: true, shown: 'running' } })
          return '{"faults":[]}'
        },
      },
    },
    { state: 'starting' },
  )
  listening.resolve(1)
  await reload.reload()
  await new Promise(setImmediate)
  t.same(steps, ['1 prepare', '1 commit', '2 prepare', '2 commit'])
})

test('all workers are replaced if one that starts during a reload cannot load the definitions', async t => {
  const { reload, steps, listening, restarts, warnings } = arrange(
    {},
    { state: 'starting', answers: { prepare: '{"faults":["a.ts: is wrong"]}' } },
  )
  await reload.reload()
  listening.resolve(1)
  await new Promise(setImmediate)
  t.same(steps.slice(2), ['2 prepare'])
  t.equal(restarts(), 1)
  t.match(warnings, [{ faults: ['a.ts: is wrong'] }])
})

test('a reload waits until the worker that started during the reload before has committed', async t => {
  const late = Promise.withResolvers<string>()
  const { reload, steps, listening } = arrange({}, { state: 'starting', answers: { prepare: () => late.promise } })
  await reload.reload()
  listening.resolve(1)
  await new Promise(setImmediate)
  const next = reload.reload()
  await new Promise(setImmediate)
  late.resolve('{"faults":[]}')
  await next
  t.same(steps.slice(2, 6), ['2 prepare', '2 commit', '1 prepare', '1 commit'])
})

const stateOf = (stamp: string) => JSON.stringify({ faults: [], files: { listed: '[]', stamps: [['a.ts', stamp]] } })

test('workers that have loaded different states of a file prepare again', async t => {
  const stamps = ['1']
  const { reload, steps, files } = arrange(
    { answers: { prepare: () => stateOf(stamps.shift() ?? '2') } },
    { answers: { prepare: stateOf('2') } },
  )
  await reload.reload()
  t.same(steps, ['1 prepare', '2 prepare', '1 prepare', '2 prepare', '1 commit', '2 commit'])
  t.same(files.at(-1), { listed: '[]', stamps: [['a.ts', '2']] })
})

test('a reload is refused while the workers load different states, and the file counts as changed', async t => {
  const { reload, steps, files } = arrange(
    { answers: { prepare: stateOf('1') } },
    { answers: { prepare: stateOf('2') } },
  )
  t.match(await failure(reload.reload()), {
    message: /^the definitions: their files changed while the workers loaded them/,
  })
  t.same(steps.slice(-2), ['1 drop', '2 drop'])
  t.notOk(['1', '2'].includes(files.at(-1)?.stamps[0]?.[1] ?? '1'))
})

test('a worker that cannot start is not reloaded', async t => {
  const { reload, steps, listening } = arrange({}, { state: 'starting' })
  await reload.reload()
  listening.reject(new Error('exited'))
  await new Promise(setImmediate)
  t.same(steps, ['1 prepare', '1 commit'])
})

test('workers show a reload that was refused', async t => {
  const { reload, steps } = arrange({}, {})
  reload.refused({ at: '2026-11-30T10:00:00.000Z', faults: 2 })
  t.same(steps, ['1 refused', '2 refused'])
  t.end()
})

test('a reload returns the definitions of the first worker, whose faults have no prefix', async t => {
  const loaded = { aggregates: ['GET /a (a)'], evaluated: ['a.ts'], watched: { upstreams: [], aggregates: [] } }
  const state = { listed: '[]', stamps: [['a.ts', '1']] }
  const answer = JSON.stringify({ faults: [], loaded, files: state })
  const first = arrange({ answers: { prepare: answer, describe: answer } }, {})
  t.same(await first.reload.reload(), loaded)
  t.same(await first.reload.describe(), loaded)
  t.same(first.files, [state, state])

  const faults = ['a.ts:1:2: is wrong: no', 'no file']
  const faulty = arrange({ answers: { prepare: JSON.stringify({ faults, files: state }) } }, {})
  const error = (await failure(faulty.reload.reload())) as Error
  t.equal(error.message, 'a.ts:1:2: is wrong: no\na worker: no file')
  t.same(faulty.files, [state])
})

test('an answer with other values than those of a worker is not used', async t => {
  for (const wrong of [
    { loaded: 1, files: 1 },
    { loaded: { aggregates: [1], evaluated: [], watched: { upstreams: [], aggregates: [] } } },
    { loaded: { aggregates: [], evaluated: [], watched: 1 }, files: { listed: 1, stamps: [] } },
    { files: { listed: '', stamps: [['a.ts']] } },
    { files: { listed: '', stamps: ['a.ts'] } },
  ]) {
    const { reload, files } = arrange({ answers: { prepare: JSON.stringify({ faults: [], ...wrong }) } })
    t.equal(await reload.reload(), undefined)
    t.same(files, [])
  }
})

test('workers that have loaded definitions three times are replaced once, by the next reload that is not refused', async t => {
  const answers: Answers = {}
  const { reload, restarts, restarted } = arrange({ answers }, {})
  await reload.reload()
  answers.prepare = '{"faults":["a.ts: is wrong"]}'
  await failure(reload.reload())
  await failure(reload.reload())
  t.equal(restarts(), 0)
  delete answers.prepare
  await reload.reload()
  t.equal(restarts(), 1)
  await reload.reload()
  t.equal(restarts(), 1, 'not while they are being replaced')
  restarted.resolve()
  await new Promise(setImmediate)
  await reload.reload()
  t.equal(restarts(), 2, 'again if they were not replaced')
})
