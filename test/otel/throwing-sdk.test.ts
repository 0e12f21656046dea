import { context, diag, DiagLogLevel, trace, type Span, type Tracer } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { treeOf } from '../helpers/tracing.ts'

const Any = z.unknown()

/** Registers an SDK whose spans are changed by `change`, and collects the spans and the errors that are reported. */
function register(t: Test, change: (span: Record<string, unknown>, name: string) => void) {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  const getTracer = (name: string): Tracer => {
    const tracer = provider.getTracer(name)
    return {
      startSpan(spanName, options, parent): Span {
        const span = tracer.startSpan(spanName, options, parent)
        change(span as unknown as Record<string, unknown>, spanName)
        return span
      },
      startActiveSpan: () => {
        throw new Error('not used')
      },
    }
  }
  const spans = () => exporter.getFinishedSpans()
  return { ...registerProvider(t, { getTracer }), spans, names: () => spans().map(({ name }) => name) }
}

function registerProvider(t: Test, provider: Parameters<typeof trace.setGlobalTracerProvider>[0]) {
  const errors: string[] = []
  const silent = () => {}
  const logger = { error: (text: string) => void errors.push(text), warn: silent, info: silent, debug: silent }
  diag.setLogger({ ...logger, verbose: silent }, DiagLogLevel.ERROR)
  trace.setGlobalTracerProvider(provider)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
  t.teardown(() => {
    trace.disable()
    context.disable()
    diag.disable()
  })
  return { errors }
}

/** Starts two runs that share one call after a retry, and answers it. */
async function twoRuns(t: Test) {
  let asked = 0
  const upstream = await httpUpstream(t, ({ json }) => void (asked++ > 0 && json(1)))
  const cats = defineUpstream(
    'cats',
    { origin: upstream.origin, breaker: false, retry: { maxAttempts: 2, initialDelay: 1, maxDelay: 1 } },
    { shared: operation({ path: '/shared', output: Any, coalesce: true }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const shared = aggregate('cat', { url: '/cat', deadline: 20_000 })
    .required('shared', () => cats.shared())
    .reply(Any, data => data.shared)
  const first = fanOut(shared, {}, { runtime })
  const held = await upstream.arrived('GET /shared')
  const second = fanOut(shared, {}, { runtime })
  held.json('busy', 503)
  return (await Promise.all([first, second])).map(({ data }) => data)
}

test('an SDK whose spans have no addLink records the steps of a shared call, without the link', async t => {
  const { errors, names } = register(t, span => {
    span['addLink'] = undefined
  })
  t.same(await twoRuns(t), [1, 1])
  t.same(names().toSorted(), [
    'GET /shared',
    'GET /shared',
    'aggregate cat',
    'aggregate cat',
    'step shared',
    'step shared',
  ])
  t.same(errors, [])
})

for (const method of ['setAttribute', 'setStatus', 'addEvent', 'addLink', 'end', 'spanContext', 'isRecording'])
  test(`a span whose ${method} throws does not fail a run, and its error is reported`, async t => {
    const { errors } = register(t, span => {
      span[method] = () => {
        throw new Error(`of ${method}`)
      }
    })
    t.same(await twoRuns(t), [1, 1])
    t.match(errors[0], `headwaters: a span was not recorded: Error: of ${method}`)
  })

test('a sampler whose tracestate throws does not fail a run, and its error is reported', async t => {
  const { errors } = register(t, span => {
    const own = (span['spanContext'] as Span['spanContext']).call(span as unknown as Span)
    const serialize = () => {
      throw new Error('of serialize')
    }
    span['spanContext'] = () => ({ ...own, traceState: { serialize } })
  })
  t.same(await twoRuns(t), [1, 1])
  t.match(errors[0], 'of serialize')
})

test('a step whose span cannot start has none, and its attempts are children of the run', async t => {
  const { errors, spans, names } = register(t, (_span, name) => {
    if (name.startsWith('step')) throw new Error('of the processor')
  })
  t.same(await twoRuns(t), [1, 1])
  t.same(names().toSorted(), ['GET /shared', 'GET /shared', 'aggregate cat', 'aggregate cat'])
  const traceId = spans()
    .find(({ name }) => name === 'GET /shared')
    ?.spanContext().traceId
  const sending = spans().filter(span => span.spanContext().traceId === traceId)
  t.same(treeOf(sending), ['aggregate cat', '  GET /shared !', '  GET /shared'])
  t.match(errors[0], 'of the processor')
})

test('a provider that throws instead of giving a tracer does not fail a run, and its error is reported once', async t => {
  const { errors } = registerProvider(t, {
    getTracer() {
      throw new Error('no tracer')
    },
  })
  t.same(await twoRuns(t), [1, 1])
  t.same(errors, ['headwaters: a span was not recorded: Error: no tracer'])
})

test('a logger of the SDK that throws does not fail a run', async t => {
  register(t, span => {
    span['end'] = () => {
      throw new Error('of end')
    }
  })
  const fail = () => {
    throw new Error('of the logger')
  }
  diag.setLogger(
    { error: fail, warn: fail, info: fail, debug: fail, verbose: fail },
    {
      logLevel: DiagLogLevel.ERROR,
      suppressOverrideMessage: true,
    },
  )
  t.same(await twoRuns(t), [1, 1])
})
