import { mediaTypes, type StreamType } from '../request/media-types.ts'
import type { Components } from './components.ts'
import type { JsonSchema } from './schema-types.ts'
import type { OpenapiVersion } from './version.ts'

/** An event of the example of a stream. */
export type ExampleEvent = Readonly<Record<string, unknown>> & { readonly event: string }

const streamTypes: readonly StreamType[] = ['ndjson', 'jsonl', 'sse']

/** The id of the run of the examples. */
export const exampleRun = '3f2c1b7e-52c4-4c0e-9b1a-6a7d9c5e8f10'

/** The streams of an operation. */
interface DescribedStreams {
  /** The begin of the names of its examples. */
  readonly name: string
  /** The schema of an event. */
  readonly event: JsonSchema
  /** The events of one stream; empty for no example. */
  readonly example: readonly ExampleEvent[]
}

/**
 * Returns the content of a response that is a stream of events, by media type. OpenAPI 3.1 has no keyword for the items
 * of a stream, so `schema` is that of one event there.
 */
export function streamContent(
  version: OpenapiVersion,
  streams: DescribedStreams,
  components: Components,
): Readonly<Record<string, object>> {
  const mediaTypeOf = version === '3.1' ? eventMediaType : itemMediaType
  return Object.fromEntries(streamTypes.map(type => [mediaTypes[type], mediaTypeOf(type, streams, components)]))
}

function eventMediaType(type: StreamType, { name, event, example }: DescribedStreams, components: Components): object {
  const description =
    type === 'sse'
      ? 'The data of one of the server-sent events, as JSON.'
      : 'One of the events, each of which is a line.'
  // One example of each kind of event, because an example here is that of one event.
  const kinds = new Map(example.map(each => [each.event, each]))
  const exampleOf = ([kind, value]: [string, ExampleEvent]) => [
    kind,
    components.shared('examples', name + kind.slice(0, 1).toUpperCase() + kind.slice(1), () => ({ value })),
  ]
  return {
    schema: { ...event, description },
    ...(kinds.size > 0 && { examples: Object.fromEntries(Array.from(kinds, exampleOf)) as object }),
  }
}

function itemMediaType(type: StreamType, { event, example }: DescribedStreams): object {
  const texts = example.map((each, index) =>
    type === 'sse' ? sentEvent(each, index + 1 === example.length ? 'end' : index + 1) : `${JSON.stringify(each)}\n`,
  )
  return {
    itemSchema: type === 'sse' ? sentEventSchema(event) : event,
    ...(texts.length > 0 && { examples: { stream: { serializedValue: texts.join('') } } }),
  }
}

function sentEvent(event: ExampleEvent, at: number | 'end'): string {
  return `id: ${exampleRun}.1.${at}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`
}

/** Returns the schema of a server-sent event, whose data is an event as JSON. */
function sentEventSchema(event: JsonSchema): JsonSchema {
  return {
    type: 'object',
    properties: {
      id: { type: 'string', description: 'The id of the event. That of the last event ends with `.end`.' },
      event: { type: 'string', description: 'The field `event` of the data.' },
      data: { type: 'string', contentMediaType: 'application/json', contentSchema: event },
    },
    required: ['id', 'event', 'data'],
  }
}
