import { context, trace, SpanStatusCode } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace'
import { until } from './until.ts'

interface Teardown {
  teardown(fn: () => unknown): void
}

/** An app's own SDK, registered for one test. */
export function registerTracing(t: Teardown, sampler?: Sampler, processor?: SpanProcessor) {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({
    spanProcessors: [...(processor === undefined ? [] : [processor]), new SimpleSpanProcessor({ exporter })],
    ...(sampler !== undefined && { sampler }),
  })
  trace.setGlobalTracerProvider(provider)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
  t.teardown(async () => {
    trace.disable()
    context.disable()
    await provider.shutdown()
  })
  const ended = () => exporter.getFinishedSpans()
  return {
    tracer: trace.getTracer('app'),
    ended,
    /** The ended spans of this name, in the order of their ends. */
    named: (name: string) => ended().filter(span => span.name === name),
    /** The ended span of this name, as soon as it is there. */
    async one(name: string): Promise<ReadableSpan> {
      await until(() => ended().some(span => span.name === name), {
        seen: () =>
          `no span '${name}': ${ended()
            .map(span => span.name)
            .join()}`,
      })
      return ended().find(span => span.name === name) as ReadableSpan
    },
    /** The names of the ended spans as a tree, by their start, each with what `describe` says of it. */
    tree: (describe?: (span: ReadableSpan) => string) => treeOf(ended(), describe),
  }
}

/** Draws spans as indented lines. The span of a parent that is not among them is a root. */
export function treeOf(spans: readonly ReadableSpan[], describe = statusOf): string[] {
  const idOf = (span: ReadableSpan) => span.spanContext().spanId
  const isRoot = ({ parentSpanContext }: ReadableSpan) => !spans.some(span => idOf(span) === parentSpanContext?.spanId)
  const draw = (span: ReadableSpan, depth: number): string[] => [
    `${'  '.repeat(depth)}${span.name}${describe(span)}`,
    ...inOrder(spans.filter(child => child.parentSpanContext?.spanId === idOf(span))).flatMap(child =>
      draw(child, depth + 1),
    ),
  ]
  return inOrder(spans.filter(isRoot)).flatMap(span => draw(span, 0))
}

function statusOf({ status }: ReadableSpan): string {
  return status.code === SpanStatusCode.ERROR ? ' !' : ''
}

function inOrder(spans: readonly ReadableSpan[]): ReadableSpan[] {
  return spans.toSorted((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
}
