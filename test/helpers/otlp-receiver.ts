import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { serveHttp, type Teardown } from './serve-http.ts'
import { until } from './until.ts'

type Value = { readonly stringValue?: string; readonly intValue?: number; readonly doubleValue?: number }
type KeyValue = { readonly key: string; readonly value: Value }

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] }
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[]
  }[]
}

/** A span as OTLP has it in JSON. */
interface SentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly attributes: readonly KeyValue[]
  readonly events: readonly { readonly name: string; readonly attributes: readonly KeyValue[] }[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status: { readonly code: number }
}

/** A span as the receiver got it. */
export interface ReceivedSpan extends Omit<SentSpan, 'attributes' | 'events'> {
  readonly attributes: Record<string, unknown>
  readonly events: readonly { readonly name: string; readonly attributes: Record<string, unknown> }[]
  readonly resource: Record<string, unknown>
}

/** A collector that keeps the spans that it receives by OTLP over HTTP. */
export async function otlpReceiver(t: Teardown, status = 200) {
  const spans: ReceivedSpan[] = []
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    void json(request).then(body => {
      if (status === 200) for (const span of spansOf(body as Sent)) spans.push(span)
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  const origin = await serveHttp(t, server)
  return {
    origin,
    requests,
    spans,
    /** Resolves when a span of this name was received. */
    received: (name: string) =>
      until(() => spans.some(span => span.name === name), { seen: () => `spans: ${spans.map(s => s.name).join()}` }),
    /** The names as a tree, by their start. */
    tree: () => treeOf(spans),
  }
}

function* spansOf({ resourceSpans }: Sent): Generator<ReceivedSpan> {
  for (const { resource, scopeSpans } of resourceSpans)
    for (const span of scopeSpans.flatMap(({ spans }) => spans))
      yield {
        ...span,
        attributes: valuesOf(span.attributes),
        events: span.events.map(({ name, attributes }) => ({ name, attributes: valuesOf(attributes) })),
        resource: valuesOf(resource.attributes),
      }
}

function valuesOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue } }) => [
      key,
      stringValue ?? intValue ?? doubleValue,
    ]),
  )
}

function treeOf(spans: readonly ReceivedSpan[], parent?: ReceivedSpan, depth = 0): string[] {
  const isHere = ({ parentSpanId }: ReceivedSpan) =>
    parent === undefined ? !spans.some(({ spanId }) => spanId === parentSpanId) : parentSpanId === parent.spanId
  return spans
    .filter(isHere)
    .toSorted((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))
    .flatMap(span => [`${'  '.repeat(depth)}${span.name}`, ...treeOf(spans, span, depth + 1)])
}
