import type { PlanEvent, StreamEvent } from '../../../../src/client/types.ts'

/** An event of a stream with data of any type. */
export type AnyEvent = StreamEvent<unknown>

/** The stream that a caller received. */
export interface Streamed {
  readonly status: number
  readonly headers: Headers
  /** The bytes of the body, as text. */
  readonly text: string
  readonly events: readonly AnyEvent[]
}

/** A stream that a caller reads event by event. */
export interface OpenedStream {
  readonly status: number
  readonly headers: Headers
  /** Returns the next event, or undefined at the end. */
  next(): Promise<AnyEvent | undefined>
  /** Returns the next event of a kind, and skips others. */
  nextOf<K extends AnyEvent['event']>(kind: K): Promise<Extract<AnyEvent, { event: K }>>
  /** Closes the connection. */
  leave(): void
}

const ndjson = { accept: 'application/x-ndjson' }

/** Reads a stream of lines to its end. */
export async function streamed(url: string, init: RequestInit = {}): Promise<Streamed> {
  const response = await fetch(url, { ...init, headers: { ...ndjson, ...(init.headers as Record<string, string>) } })
  const text = await response.text()
  const isStream = response.headers.get('content-type')?.includes('ndjson') === true
  const lines = isStream ? text.split('\n').slice(0, -1) : []
  return { status: response.status, headers: response.headers, text, events: lines.map(line => JSON.parse(line)) }
}

/** Opens a stream of lines. It resolves when the head has arrived. */
export async function openStream(url: string, init: RequestInit = {}): Promise<OpenedStream> {
  const controller = new AbortController()
  const response = await fetch(url, { ...init, headers: ndjson, signal: controller.signal })
  const events = eventsOf(response.body as AsyncIterable<Uint8Array>)
  const next = async () => (await events.next()).value
  const nextOf = async (kind: string): Promise<AnyEvent> => {
    const event = await next()
    if (event === undefined) throw new Error(`the stream has ended without ${kind}`)
    return event.event === kind ? event : nextOf(kind)
  }
  return {
    status: response.status,
    headers: response.headers,
    next,
    nextOf: nextOf as OpenedStream['nextOf'],
    leave: () => controller.abort(),
  }
}

async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<AnyEvent, undefined> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() as string
    for (const line of lines) yield JSON.parse(line) as AnyEvent
  }
  return undefined
}

/** Returns the events of a kind. */
export function eventsOfKind<K extends AnyEvent['event']>(
  events: readonly AnyEvent[],
  kind: K,
): Extract<AnyEvent, { event: K }>[] {
  return events.filter(event => event.event === kind) as never
}

/** Returns the plan of a stream, its first event. */
export function planOf({ events }: Streamed): PlanEvent {
  return events[0] as PlanEvent
}

/** Returns the bytes of the body of a stream's last event. */
export function lastBodyOf({ text }: Streamed): string {
  const line = text.trimEnd().split('\n').at(-1) as string
  return line.slice(line.indexOf(',"body":') + ',"body":'.length, -1)
}

/** Replaces the times in a text, which differ from run to run. */
export function withoutTimes(text: string): string {
  return text.replaceAll(/"(start|ms)":[\d.]+/g, '"$1":0').replaceAll(/(dur|start|ms)=[\d.]+/g, '$1=0')
}
