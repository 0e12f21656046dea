import { test } from 'tap'
import { z } from 'zod'
import { aggregate, defineUpstream, operation } from '../../../src/index.ts'
import { Explainer } from '../../../src/explain/explainer.ts'
import { Answers } from '../../../src/server/cluster/answers.ts'
import { answerExplanations, WorkersExplainer } from '../../../src/server/cluster/explain-channel.ts'
import { Questions } from '../../../src/server/cluster/questions.ts'

const shop = defineUpstream(
  'shop',
  { origin: 'http://shop.example' },
  {
    price: operation({ path: '/prices/{id}', params: z.object({ id: z.string() }), output: z.unknown() }),
  },
)
const cats = aggregate('cats', { url: '/cats', query: z.object({ count: z.coerce.number() }) })
  .required('price', ({ query }) => shop.price({ id: String(query.count) }))
  .reply(z.unknown(), ({ price }) => price)

/** A worker that explains, and the explanations of the primary. A question and its answer are messages. */
function explaining() {
  const explainer = new Explainer([cats], {
    overrides: {},
    variableOf: () => undefined,
    partition: undefined,
  })
  const answers = new Answers(message => {
    if (message.kind === 'answered') questions.answered(message.id, message)
    if (message.kind === 'notAnswered') questions.notAnswered(message.id)
  })
  answerExplanations(answers, explainer)
  const questions = new Questions(message => void answers.handle(message))
  questions.open()
  return {
    answers,
    questions,
    explainer,
    source: new WorkersExplainer({
      askOne: (topic, text) => ({ worker: 2, answer: questions.ask(topic, text) }),
    }),
  }
}

test('an explanation and the list of a worker arrive as the worker made them', async t => {
  const { explainer, source } = explaining()
  const question = { input: { query: { count: '3' } }, deadline: 50 }
  const explanation = await source.explain('cats', question)
  t.same(explanation, JSON.parse(JSON.stringify(await explainer.explain('cats', question))))
  t.match(explanation.steps[0]?.calls, [{ path: '/prices/3' }])
  t.same(await source.list(), explainer.list())
  t.match(await source.find('cats'), { route: { url: '/cats' } })
})

test('a problem of the worker is that of the primary, with all faults', async t => {
  const { source } = explaining()
  const expected = { code: 'INPUT_INVALID', statusCode: 400, faults: [{ pointer: '/query/count' }] }
  await t.rejects(source.explain('cats', { input: { query: { count: 'x' } } }), expected)
  await t.rejects(source.find('cat'), { code: 'NOT_FOUND', detail: /did you mean 'cats'\?/ })
})

test('no worker, a worker that does not answer and an answer of a wrong shape are OVERLOADED', async t => {
  const none = new WorkersExplainer({ askOne: () => undefined })
  await t.rejects(none.list(), { code: 'OVERLOADED', detail: 'No worker is running: ask again.' })
  const { answers, questions, source } = explaining()
  for (const text of [
    '',
    'null',
    '{}',
    '{"aggregates":1}',
    '{"aggregates":[{"name":1}]}',
    '{"explanation":{"aggregate":"cats"}}',
    '{"problem":{"code":"toString","detail":""}}',
    '{"problem":{"code":"NOT_FOUND"}}',
    '{"problem":{"code":"INPUT_INVALID","detail":"","faults":[1]}}',
  ]) {
    for (const topic of ['aggregates', 'explain'] as const) answers.set(topic, () => text)
    await t.rejects(source.list(), { code: 'OVERLOADED' }, text)
    await t.rejects(source.explain('cats', { input: {} }), { code: 'OVERLOADED' }, text)
    await t.rejects(source.find('cats'), { code: 'OVERLOADED' }, text)
  }
  questions.close()
  await t.rejects(source.list(), { code: 'OVERLOADED', detail: 'Worker 2 did not answer: ask again.' })
})
