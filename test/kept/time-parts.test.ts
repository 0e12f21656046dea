import { test } from 'tap'
import type { ReadCall } from '../../src/kept/read-calls.ts'
import { readSteps } from '../../src/kept/read-steps.ts'
import { runRowOf } from '../../src/kept/run-json.ts'
import { Entry } from '../../src/kept/tape.ts'
import { partsOf } from '../../src/kept/time-parts.ts'
import type { KeptCall, WaitReason } from '../../src/waterfall/kept-run.ts'
import { storedRun } from '../helpers/stored-run.ts'

const described = { name: 'meowfacts.facts', upstream: 'meowfacts', method: 'GET', template: '/' }

function readCall(fields: Partial<KeptCall>): ReadCall {
  const call: KeptCall = {
    call: 0,
    operation: described.name,
    method: 'GET',
    path: '/',
    start: 10,
    end: 90,
    status: null,
    code: null,
    cache: null,
    waits: [],
    attempts: [],
    marks: [],
    ...fields,
  }
  return { step: 0, described, call }
}

/** Returns the parts of a step from 5 to 100 ms that made one call. */
function partsWith(fields: Partial<KeptCall>): readonly string[] {
  const call = readCall(fields)
  return partsOf(storedRun({ ms: 200 }), { start: 5, ms: 95 }, [call], call).map(({ ms, text }) => `${ms} ${text}`)
}

test('each reason of a wait has its words, and equal reasons are one part', t => {
  const waits = (reason: WaitReason) => [
    { reason, start: 10, end: 20 },
    { reason, start: 30, end: 35.5 },
  ]
  const words: Readonly<Record<WaitReason, string>> = {
    permit: 'waited for a permit of meowfacts',
    token: 'waited for a token of meowfacts',
    retry: 'waited before a retry of meowfacts.facts',
    shared: 'waited for an equal call of meowfacts.facts',
    keys: 'waited for the batch of keys of meowfacts.facts',
  }
  for (const [reason, text] of Object.entries(words))
    t.equal(partsWith({ waits: waits(reason as WaitReason) })[1], `15.5 ${text}`)
  t.end()
})

test('the time of the function is the time without a call in flight', t => {
  t.equal(partsWith({})[0], '15 in the function of the step')
  t.equal(
    partsWith({ end: null })[0],
    '5 in the function of the step',
    'a call without an end lasts to the end of the run',
  )
  const [alone] = partsOf(storedRun(), { start: 5, ms: 95 }, [], undefined)
  t.same(alone, { ms: 95, text: 'in the function of the step' })
  t.end()
})

test('the rest of a call is its time without attempts and waits', t => {
  const attempts = [{ number: 1, kind: 'first', start: 20, end: 50, status: 200, code: null }] as const
  const waits = [{ reason: 'permit', start: 10, end: 20 }] as const
  t.equal(partsWith({ attempts, waits }).at(-1), '40 outside the attempts and waits of meowfacts.facts')
  t.equal(partsWith({ attempts, end: null }).at(-1), '160 outside the attempts and waits of meowfacts.facts')
  t.end()
})

test('a run with calls or entries that were not kept says so in the rests of its time', t => {
  const call = readCall({})
  const run = storedRun({ ms: 200, omittedCalls: 1, omittedEntries: 1 })
  t.same(
    partsOf(run, { start: 5, ms: 95 }, [call], call).map(({ text }) => text),
    [
      'outside its kept calls',
      'in 0 attempts of meowfacts.facts',
      'outside the kept attempts and waits of meowfacts.facts',
    ],
  )
  t.end()
})

test('attempts that overlap count once, and without their waits for a token', t => {
  const attempt = (number: number, start: number, end: number | null) =>
    ({ number, kind: 'first', start, end, status: null, code: null }) as const
  t.equal(partsWith({ attempts: [attempt(1, 10, 50), attempt(2, 40, 60)] })[1], '50 in 2 attempts of meowfacts.facts')
  t.equal(partsWith({ attempts: [attempt(1, 190, null)] })[1], '10 in 1 attempt of meowfacts.facts')
  const waits = [{ reason: 'token', start: 10, end: 30 }] as const
  t.equal(partsWith({ attempts: [attempt(1, 10, 50)], waits })[2], '20 in 1 attempt of meowfacts.facts')
  t.end()
})

test('a row without a request id and a step without a recorded start are read', t => {
  const run = storedRun({
    outcomes: undefined,
    described: { name: 'batch', url: '/v1/batch', steps: [{ name: 'a', kind: 'call', needs: [] }] },
    numbers: Float64Array.of(Entry.stepEnded + 16, 0, 5, 0),
  })
  t.match(readSteps(run), [{ index: 0, outcome: { state: 'cancelled', start: null } }])
  t.match(runRowOf(run, { worker: null, hide: text => text }), { requestId: null, lost: [] })
  t.end()
})
