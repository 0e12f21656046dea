import cluster, { type Worker } from 'node:cluster'
import { join } from 'node:path'
import tap, { test, type Test } from 'tap'
import { Answers } from '../../../src/server/cluster/answers.ts'
import type { FromWorker, ToWorker } from '../../../src/server/cluster/messages.ts'
import { Questions } from '../../../src/server/cluster/questions.ts'
import { createRedispatcher } from '../../../src/server/cluster/redispatch.ts'
import { RunningWorkers } from '../../../src/server/cluster/running-workers.ts'
import { spawnWorker } from '../../../src/server/cluster/spawn-worker.ts'
import type { WorkerProcess } from '../../../src/server/cluster/worker-process.ts'
import { until } from '../../helpers/until.ts'
import type { Order } from './helpers/answering-worker.ts'

// Some of its tests start processes.
tap.setTimeout(120_000)

/** The questions to a worker that is a list of what it was sent. */
function questions() {
  const sent: Extract<ToWorker, { readonly kind: 'ask' }>[] = []
  const all = new Questions(message => sent.push(message))
  all.open()
  return { all, sent }
}

test('the parts of two answers that arrive in turn are two texts', async t => {
  const { all, sent } = questions()
  const answers = [all.ask('run', 'one'), all.ask('runs', 'two')]
  t.same(sent, [
    { kind: 'ask', id: 0, topic: 'run', text: 'one' },
    { kind: 'ask', id: 1, topic: 'runs', text: 'two' },
  ])
  all.answered(0, { text: 'a', isLast: false })
  all.answered(1, { text: 'b', isLast: false })
  all.answered(0, { text: 'c', isLast: true })
  all.answered(1, { text: '', isLast: true })
  t.same(await Promise.all(answers), ['ac', 'b'])
})

test('a worker that does not listen, has exited or cannot answer gives no answer', async t => {
  const sent: ToWorker[] = []
  const starting = new Questions(message => sent.push(message))
  t.equal(await starting.ask('run', ''), undefined)
  starting.open()
  const [refused, cut] = [starting.ask('run', ''), starting.ask('run', '')]
  starting.answered(1, { text: 'the first part', isLast: false })
  starting.notAnswered(0)
  t.equal(await refused, undefined)
  starting.close()
  t.equal(await cut, undefined)
  t.equal(await starting.ask('run', ''), undefined)
  t.equal(sent.length, 2)
})

test('an answer to no question changes nothing', async t => {
  const { all } = questions()
  all.answered(7, { text: 'x', isLast: true })
  all.notAnswered(7)
  const answer = all.ask('run', '')
  all.answered(0, { text: 'y', isLast: true })
  all.answered(0, { text: 'z', isLast: true })
  t.equal(await answer, 'y')
})

test('an answer that is later than a second or too large is not read', async t => {
  const { all } = questions()
  const since = performance.now()
  const late = all.ask('run', '')
  all.answered(0, { text: 'the first part', isLast: false })
  t.equal(await late, undefined)
  const ms = performance.now() - since
  t.ok(ms > 990 && ms < 5000, `the answer took ${Math.round(ms)} ms`)
  all.answered(0, { text: 'the rest', isLast: true })
  const large = all.ask('run', '')
  const part = 'x'.repeat(1_048_576)
  for (let parts = 0; parts < 18; parts++) all.answered(1, { text: part, isLast: parts === 17 })
  t.equal(await large, undefined)
  const next = all.ask('run', '')
  all.answered(2, { text: 'answered', isLast: true })
  t.equal(await next, 'answered')
})

test('a worker that has 32 questions to answer receives no other until it has answered one', async t => {
  const { all, sent } = questions()
  const answers = Array.from({ length: 40 }, () => all.ask('run', ''))
  t.equal(sent.length, 32)
  t.same(await Promise.all(answers.slice(32)), Array(8).fill(undefined))
  t.same(await Promise.all(answers), Array(40).fill(undefined), 'after a second')
  t.equal(await all.ask('run', ''), undefined)
  t.equal(sent.length, 32, 'late questions count')
  all.answered(5, { text: 'late', isLast: true })
  const next = all.ask('run', '')
  t.equal(sent.length, 33)
  all.notAnswered(32)
  t.equal(await next, undefined)
})

test('a topic without an answer and an answer that fails are not answered', async t => {
  const sent: FromWorker[] = []
  const answers = new Answers(message => sent.push(message))
  answers.set('runs', () => {
    throw new Error('no')
  })
  await answers.handle({ kind: 'ask', id: 1, topic: 'run', text: '' })
  await answers.handle({ kind: 'ask', id: 2, topic: 'runs', text: '' })
  answers.set('runs', async () => Promise.reject(new Error('no')))
  await answers.handle({ kind: 'ask', id: 3, topic: 'runs', text: '' })
  t.same(
    sent,
    [1, 2, 3].map(id => ({ kind: 'notAnswered', id })),
  )
})

/** Starts workers that answer a number with a text of that length, and that block if they are asked to. */
function workers(t: Test) {
  cluster.setupPrimary({ exec: join(import.meta.dirname, 'helpers/answering-worker.ts'), args: [] })
  const running = new RunningWorkers(2)

  async function start(index: number): Promise<{ process: WorkerProcess; send: (order: Order) => void }> {
    const before = new Set(Object.keys(cluster.workers ?? {}))
    const process = spawnWorker(
      {
        index,
        count: 2,
        host: '127.0.0.1',
        port: 0,
        demoUpstreams: undefined,
        heartbeatMs: 0,
        mark: 'the mark',
        service: 'b',
      },
      {
        omittedVariables: [],
        closeMs: 2000,
        count: () => ({ current: 1, ttl: 1 }),
        trackWorker: createRedispatcher(),
        onSeries() {},
        onOverview() {},
        render: async () => '',
        onSilent() {},
      },
    )
    t.teardown(() => process.kill())
    running.track(process)
    const worker = cluster.workers?.[Object.keys(cluster.workers).find(id => !before.has(id)) as string] as Worker
    return { process, send: order => void worker.send(order) }
  }

  return {
    start,
    running,
    ask: (topic: 'run' | 'runs', text: string) =>
      Promise.all(running.ask(topic, text).map(async ({ worker, answer }) => [worker, await answer] as const)),
  }
}

test('workers answer with texts of any length, and none is asked before it listens', async t => {
  const { start, ask, running } = workers(t)
  const [one, two] = await Promise.all([start(0), start(1)])
  t.equal(Array.from(running).length, 2)
  t.same(await ask('runs', '1'), [])
  for (const { send } of [one, two]) send('listen')
  await Promise.all([one.process.listening, two.process.listening])
  for (const length of [0, 1, 32_768, 32_769, 300_001])
    t.same(await ask('runs', String(length)), [
      [1, 'ü'.repeat(length)],
      [2, 'ü'.repeat(length)],
    ])
  t.same(await ask('run', '1'), [
    [1, undefined],
    [2, undefined],
  ])
})

test('a worker that hangs gives no answer, and answers again when it is free', async t => {
  const { start, ask } = workers(t)
  const [one, two] = await Promise.all([start(0), start(1)])
  for (const { send } of [one, two]) send('listen')
  await Promise.all([one.process.listening, two.process.listening])
  one.send('block')
  await until(async () => (await ask('runs', '1'))[0]?.[1] === undefined)
  t.same(await ask('runs', '1'), [
    [1, undefined],
    [2, 'ü'],
  ])
  await until(async () => (await ask('runs', '1'))[0]?.[1] === 'ü')
})

test('a worker that exits while it is asked gives no answer, and is not asked again', async t => {
  const { start, ask, running } = workers(t)
  const [one, two] = await Promise.all([start(0), start(1)])
  for (const { send } of [one, two]) send('listen')
  await Promise.all([one.process.listening, two.process.listening])
  one.send('block')
  const asked = running.ask('runs', '1')
  one.process.kill()
  await one.process.exited
  t.equal(await asked[0]?.answer, undefined)
  t.same(await ask('runs', '1'), [[2, 'ü']])
})
