import fc from 'fast-check'
import { test } from 'tap'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { UpstreamError } from '../../../src/errors.ts'
import type { AnyAggregate } from '../../../src/fanout/aggregate.ts'
import type { Outcome } from '../../../src/fanout/outcome.ts'
import { aggregateOf, nameOf, plans, type Plan } from '../../helpers/random-aggregate.ts'
import { rehearsed, timeless } from '../../helpers/rehearsed.ts'

const kinds: readonly Plan['kind'][] = ['optional', 'each', 'plain', 'asking', 'chains', 'pages']

const faults = fc.array(
  fc.record({ step: fc.nat(12), fault: fc.constantFrom('delay:0', 'delay:3', 'fail:503', 'fail:404', 'drop') }),
  { maxLength: 4 },
)

/** Runs an aggregate with a list of faults. Its calls are answered by a layer below the counts of their upstream. */
async function run(steps: readonly Plan[], aggregate: AnyAggregate, text: string) {
  const sent: string[] = []
  const runtime = createRuntime({
    layers: {
      call: [
        () => async call => {
          sent.push(call.path)
          const step = Number(call.path.slice(1, call.path.indexOf('.')))
          if (steps[step]?.failing === true)
            throw new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 500 })
          return { value: call.path as never, status: 200 }
        },
      ],
    },
  })
  try {
    const { sources } = await rehearsed(aggregate, text, { runtime }).reply
    const { calls = 0 } = runtime.stats()['oracle'] ?? {}
    return { sources: sources as Readonly<Record<string, Outcome>>, sent, calls }
  } finally {
    await runtime.close()
  }
}

/** All steps may lose their calls, so that every run has a reply. */
const tolerant = plans(1, kinds).map(steps =>
  steps.map(step => ({ ...step, failing: step.kind !== 'asking' && step.failing })),
)

test('faults change the sources of their own steps alone, and mark each of them that made a call', async () => {
  await fc.assert(
    fc.asyncProperty(tolerant, faults, async (steps, picked) => {
      const isLossy = (step: number) => ['optional', 'asking'].includes(steps[step]!.kind)
      const byStep = new Map(picked.filter(({ step }) => step < steps.length).map(({ step, fault }) => [step, fault]))
      // A list whose calls may not fail would fail the run.
      for (const [step, fault] of byStep)
        if (!fault.startsWith('delay') && !isLossy(step) && steps[step]!.failing !== true) byStep.delete(step)
      const text = [...byStep].map(([step, fault]) => `${nameOf(step)}=${fault}`).join()
      const aggregate = aggregateOf(steps)
      const [plain, faulty] = [await run(steps, aggregate, ''), await run(steps, aggregate, text)]
      for (const [step] of steps.entries()) {
        const name = nameOf(step)
        const [before, after] = [plain.sources[name] as Outcome, faulty.sources[name] as Outcome]
        const fault = byStep.get(step)
        const isLost = before.state !== 'ok' && before.state !== 'partial'
        const { fault: marked, ...rest } = timeless(after) as Outcome
        if (fault === undefined || steps[step]!.kind === 'plain') {
          if (marked !== undefined || JSON.stringify(rest) !== JSON.stringify(timeless(before))) return false
        } else if (fault.startsWith('delay')) {
          // A failure is not held back.
          if (JSON.stringify(rest) !== JSON.stringify(timeless(before))) return false
          if (marked !== undefined && marked !== fault) return false
          if (marked === undefined && !isLost && steps[step]!.failing !== true) return false
        } else if (marked !== fault || after.attempts !== 0) return false
      }
      // What is sent is counted, and what is not sent is not.
      return plain.calls === plain.sent.length && faulty.calls === faulty.sent.length
    }),
    { numRuns: 60 },
  )
})
