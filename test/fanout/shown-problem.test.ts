import { test } from 'tap'
import { Problem, toProblem, UpstreamError } from '../../src/errors.ts'
import { shownProblem } from '../../src/fanout/shown-problem.ts'
import { shownSources } from '../../src/fanout/shown-sources.ts'

const sources = { prices: { state: 'failed' as const, ms: 3, attempts: 2, code: 'UPSTREAM_BUSY' } }
const ofStep = toProblem(
  new UpstreamError('UPSTREAM_BUSY', 'shop', { upstreamStatus: 503, retryAfterMs: 4000 }),
  'prices',
).with(sources)

test('a problem has as much about upstreams as its caller may see', async t => {
  t.equal(shownProblem(ofStep, 'full'), ofStep)
  t.match(shownProblem(ofStep, 'states').toJSON(), {
    detail: "Step 'prices': an upstream answered that it accepts no more calls for now.",
    sources: { prices: { state: 'failed' } },
    status: 503,
  })
  t.notOk(JSON.stringify(shownProblem(ofStep, 'states')).includes('shop'))
  const none = shownProblem(ofStep, 'none')
  t.match(none.toJSON(), { detail: 'An upstream answered that it accepts no more calls for now.', sources: undefined })
  t.equal(none.retryAfterSeconds, 4)
})

test('a problem keeps its faults, its title, its type and its headers at each level', async t => {
  const refused = new Problem('REFUSED', {
    status: 409,
    title: 'Taken',
    detail: 'The name is taken.',
    type: 'https://example.com/taken',
    authorCode: 'TAKEN',
    headers: { 'x-hint': 'other' },
    faults: [{ pointer: '/body/name', reason: 'is taken' }],
    sources,
  })
  const shown = shownProblem(refused, 'none')
  t.match(shown.toJSON(), {
    type: 'https://example.com/taken',
    title: 'Taken',
    status: 409,
    detail: 'The name is taken.',
    code: 'TAKEN',
    errors: [{ pointer: '/body/name', reason: 'is taken' }],
    sources: undefined,
  })
  t.same(shown.headers, { 'x-hint': 'other' })
})

test('a problem that names neither an upstream nor a step is shown as it is', async t => {
  const problem = new Problem('INPUT_INVALID', { faults: [] })
  t.equal(shownProblem(problem, 'none'), problem)
})

test('a failure of a step names its step only for the level states', async t => {
  const slow = toProblem(new UpstreamError('STEP_TIMEOUT', 'prices', { detail: 'the limit is 5 ms' })).with(sources)
  t.equal(shownProblem(slow, 'states').detail, "Step 'prices' did not end within its timeout.")
  t.equal(shownProblem(slow, 'none').detail, 'A step did not end within its timeout.')
  const late = toProblem(new UpstreamError('DEADLINE_EXCEEDED', 'page', { detail: 'the limit is 5 ms' })).with(sources)
  t.equal(shownProblem(late, 'none').detail, 'The request did not end before its deadline.')
})

test('outcomes are shown in whole, by their states, or not at all', async t => {
  t.equal(shownSources('full', sources), sources)
  t.same(shownSources('states', sources), { prices: { state: 'failed' } })
  t.equal(shownSources('none', sources), undefined)
})
