import fc from 'fast-check'
import { test } from 'tap'
import { aggregate } from '../../../src/index.ts'
import { KeptRuns } from '../../../src/kept/kept-runs.ts'
import { Answers } from '../../../src/server/cluster/answers.ts'
import { answerKeptRuns, WorkersRuns } from '../../../src/server/cluster/kept-channel.ts'
import { Questions } from '../../../src/server/cluster/questions.ts'
import type { RunRow } from '../../../src/waterfall/kept-run.ts'
import { z } from 'zod'

const served = {
  cats: aggregate('cats', { url: '/cats' }).reply(z.unknown(), () => 1),
  dogs: aggregate('dogs', { url: '/dogs' }).reply(z.unknown(), () => 1),
}

/** Workers with their kept runs. A question and its answer are messages, but no process is between them. */
function workers(count: number) {
  let now = 0
  const all = Array.from({ length: count }, (_, index) => {
    const kept = new KeptRuns({ limit: 1000, worker: index + 1, hide: text => text, now: () => (now += 1000) })
    const answers = new Answers(message => {
      if (message.kind === 'answered') questions.answered(message.id, message)
      if (message.kind === 'notAnswered') questions.notAnswered(message.id)
    })
    answerKeptRuns(answers, kept)
    const questions = new Questions(message => void answers.handle(message))
    questions.open()
    return {
      answers,
      questions,
      /** Adds a failed run of an aggregate. */
      keep(name: keyof typeof served, id: string): void {
        const request = { id, requestId: `request of ${id}`, traceId: undefined, method: 'GET', target: `/${name}` }
        const end = { state: 'failed', at: 1, status: 502, code: 'UPSTREAM_STATUS', cancelledBy: undefined } as const
        kept.start(served[name], request).ended(end, { deadline: 1000, outcomes: {} })
      },
    }
  })
  return {
    all,
    source: new WorkersRuns({
      ask: (topic, text) =>
        all.map(({ questions }, index) => ({ worker: index + 1, answer: questions.ask(topic, text) })),
    }),
  }
}

test('a run of any worker is found, and a run of no worker is not', async t => {
  const { all, source } = workers(2)
  all[0]?.keep('cats', 'one')
  all[1]?.keep('dogs', 'two')
  t.match(await source.find('one'), { id: 'one', worker: 1, aggregate: 'cats', steps: [], code: 'UPSTREAM_STATUS' })
  t.match(await source.find('two'), { id: 'two', worker: 2, target: '/dogs' })
  t.equal(await source.find('three'), undefined)
  t.equal(await source.find('__proto__'), undefined)
})

test('the list of all workers is in the order of time, and its pages have each run once', async t => {
  const steps = fc.array(
    fc.record({
      worker: fc.nat(2),
      name: fc.constantFrom('cats' as const, 'dogs' as const),
      id: fc.uuid(),
    }),
    { maxLength: 30 },
  )
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 7 }), fc.boolean(), async (runs, limit, isFiltered) => {
      const { all, source } = workers(3)
      const unique = [...new Map(runs.map(run => [run.id, run])).values()]
      for (const { worker, name, id } of unique) all[worker]?.keep(name, id)
      const filter = isFiltered ? { aggregate: 'cats' } : {}
      const expected = unique.filter(({ name }) => !isFiltered || name === 'cats')
      const pages: RunRow[] = []
      let before: string | undefined
      for (let page = 0; page < 40; page++) {
        const list = await source.list({ ...filter, limit, before })
        t.ok(list.runs.length <= limit)
        pages.push(...list.runs)
        if (list.next === null) break
        t.ok(list.runs.length > 0)
        before = list.next
      }
      const order = (rows: readonly RunRow[]) => rows.map(({ id }) => id)
      t.same(order(pages).sort(), expected.map(({ id }) => id).sort())
      const sorted = pages.toSorted((one, other) => (`${one.at}${one.id}` < `${other.at}${other.id}` ? 1 : -1))
      t.same(order(pages), order(sorted))
      const { kept, oldest, incomplete } = await source.list({ limit: 1 })
      t.same(kept, { failed: unique.length, partial: 0, slow: 0, cancelled: 0, complete: 0 })
      t.equal(oldest.failed === null, unique.length === 0)
      t.same(incomplete, [])
    }),
    { numRuns: 50 },
  )
})

test('a list of one worker is that of its runs', async t => {
  const { all, source } = workers(2)
  all[0]?.keep('cats', 'one')
  all[1]?.keep('cats', 'two')
  t.same(
    (await source.list({ limit: 5, worker: 2 })).runs.map(({ id }) => id),
    ['two'],
  )
})

test('a worker that does not answer is named, in a list and where a run is not found', async t => {
  const { all, source } = workers(3)
  all[0]?.keep('cats', 'one')
  all[1]?.keep('cats', 'two')
  all[2]?.questions.close()
  t.match(await source.list({ limit: 5 }), { runs: { length: 2 }, kept: { failed: 2 }, incomplete: [3] })
  t.match(await source.find('one'), { id: 'one' }, 'a worker that has the run is enough')
  await t.rejects(source.find('three'), {
    code: 'NOT_FOUND',
    detail: 'No other worker has kept this run, and worker 3 did not answer within a second: ask again.',
  })
  all[0]?.questions.close()
  await t.rejects(source.find('three'), {
    code: 'NOT_FOUND',
    detail: 'No other worker has kept this run, and the workers 1, 3 did not answer within a second: ask again.',
  })
})

test('an answer of a wrong shape is as one that does not come', async t => {
  const { all, source } = workers(2)
  all[0]?.keep('cats', 'one')
  const right = await source.list({ limit: 5 })
  const run = await source.find('one')
  const set = (text: string) => {
    for (const topic of ['run', 'runs'] as const) all[0]?.answers.set(topic, () => text)
  }
  const wrong = [
    '',
    'x',
    'null',
    '1',
    '[]',
    '{}',
    JSON.stringify({ ...right, runs: [{}] }),
    JSON.stringify({ ...right, next: 1 }),
    JSON.stringify({ ...right, kept: { failed: 1 } }),
    JSON.stringify({ ...right, oldest: null }),
    JSON.stringify({ ...right, oldest: { ...right.oldest, slow: 1 } }),
    JSON.stringify({ ...right, runs: [{ ...right.runs[0], state: 'lost' }] }),
    JSON.stringify({ ...run, steps: [null] }),
    JSON.stringify({ ...run, ms: -1 }),
  ]
  for (const text of wrong) {
    set(text)
    t.match(await source.list({ limit: 5 }), { runs: [], incomplete: [1] }, text)
    if (text !== 'null') await t.rejects(source.find('one'), { code: 'NOT_FOUND' }, text)
  }
})

test('a question of a wrong shape is not answered', async t => {
  const { all } = workers(1)
  for (const text of ['', 'x', 'null']) t.equal(await all[0]?.questions.ask('runs', text), undefined, text)
})
