// `npm run bench:tracing`: measures the cost of spans per call, with the SDK of OpenTelemetry.
import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { AlwaysOffSampler, NoopSpanProcessor, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import { z } from 'zod'
import { aggregate, type Aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import type { RawInput } from '../../src/fanout/input.ts'
import { sendOf, serviceOf, stack } from '../../src/upstream/call/layer.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { attempt } from '../../src/upstream/policies/attempt.ts'
import { observe } from '../../src/upstream/policies/observe.ts'
import { createRuntime, type Runtime } from '../../src/upstream/runtime.ts'

const rounds = 300
const runsPerRound = 300
/** The limit on the cost of a call whose run is not recorded, in µs. */
const limit = 2
/**
 * The number of calls of a typical run, to which the limit applies. In a run of one call, that call bears the whole
 * start of the span of the run, of which the SDK itself needs more than half.
 */
const typicalCalls = 5

const { get } = defineUpstream(
  'none',
  { origin: 'http://127.0.0.1:1' },
  { get: operation({ path: '/items/{id}', params: z.object({ id: z.string() }), output: z.unknown() }) },
)
const answering = stack(
  [
    observe({ calls: 0, ok: 0, failed: 0, ignored: 0, attempts: 0, queuedMs: 0 }),
    attempt({ upstream: 'none', timeout: 60_000 }),
  ],
  serviceOf((_call, completion) => completion.resolve({ value: undefined as never, status: 200 })),
)
const runtime: Runtime = { ...createRuntime(), send: serviceOf(sendOf(answering)) }
const question = get({ id: '1' })

/** Returns an aggregate of `calls` steps with one call each. */
function described(calls: number): Aggregate<unknown, unknown, string> {
  const step = (built: Steps, index: number): Steps => built.required(`step${index}`, () => question)
  return Array.from({ length: calls }, (_, index) => index)
    .reduce(step, aggregate(`calls${calls}`, { url: '/x' }) as unknown as Steps)
    .reply(z.unknown(), () => 1)
}

/** A builder whose steps have names that are not known to the type checker. */
interface Steps {
  required(name: string, handler: () => unknown): Steps
  reply(schema: z.ZodType, merge: () => unknown): Aggregate<unknown, unknown, string>
}

const unsampled = { headers: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00' } }
const sampled = { headers: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' } }

interface Case {
  readonly provider: TracerProvider | undefined
  readonly input: RawInput
  /** The case without a provider and with an equal input. */
  readonly base?: string
}

const leavingOut = () => new TracerProvider({ sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }) })
const recording = () => new TracerProvider({ spanProcessors: [new NoopSpanProcessor()] })
const cases: Readonly<Record<string, Case>> = {
  'no provider': { provider: undefined, input: {} },
  'no provider, a trace of the caller': { provider: undefined, input: unsampled },
  'left out by the sampler': { provider: leavingOut(), input: {}, base: 'no provider' },
  'left out by the caller': { provider: recording(), input: unsampled, base: 'no provider, a trace of the caller' },
  recorded: { provider: recording(), input: sampled, base: 'no provider, a trace of the caller' },
}

context.setGlobalContextManager(new AsyncLocalStorageContextManager())
let isOver = false
for (const calls of [1, typicalCalls]) {
  const one = described(calls)
  const best = new Map<string, number>()
  // The cases take turns. The minimum over many rounds is the value without disturbance.
  for (let round = 0; round < rounds; round++) {
    for (const [name, { provider, input }] of Object.entries(cases)) {
      if (provider !== undefined) trace.setGlobalTracerProvider(provider)
      const startedAt = process.hrtime.bigint()
      for (let time = 0; time < runsPerRound; time++) await fanOut(one, input, { runtime })
      const us = Number(process.hrtime.bigint() - startedAt) / runsPerRound / 1000
      best.set(name, Math.min(best.get(name) ?? Infinity, us))
      trace.disable()
    }
  }
  process.stdout.write(`runs of ${calls}:\n`)
  for (const [name, { base }] of Object.entries(cases)) {
    const us = best.get(name) as number
    if (base === undefined) {
      process.stdout.write(`${us.toFixed(2).padStart(8)} µs per run   ${name}\n`)
      continue
    }
    const perCall = (us - (best.get(base) as number)) / calls
    const isLimited = calls === typicalCalls && name.startsWith('left out')
    if (isLimited && perCall > limit) isOver = true
    const suffix = isLimited ? ` (at most ${limit})` : ''
    process.stdout.write(`${perCall.toFixed(2).padStart(8)} µs per call  ${name}${suffix}\n`)
  }
}
process.exit(isOver ? 1 : 0)
