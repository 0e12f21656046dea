import type { Components } from './components.ts'
import type { JsonSchema } from './schema-types.ts'

const text = { type: 'string' }

const headers = {
  RequestId: {
    description: "The id of this request in the log: the caller's id if it is valid, or a new one.",
    schema: text,
    example: '7e1a3b52-5f0e-4c43-9a53-0d6a4c1b2f10',
  },
  ServerTiming: {
    description: 'The duration and the state of each step (W3C Server Timing).',
    schema: text,
    example: 'first;dur=31.2;desc="ok", second;dur=12.0;desc="fallback"',
  },
  CacheStatus: {
    description: 'The use of the cache by each step that has one (RFC 9211); absent if no step has a cache.',
    schema: text,
    example: 'headwaters;hit;ttl=42;detail=first',
  },
  NotStored: {
    description: 'Always `no-store`: this response is not cacheable.',
    schema: { type: 'string', const: 'no-store' },
  },
  ReplyNotStored: {
    description: 'Neither the reply nor the stream is cacheable: `no-store`, and for a stream also `no-transform`.',
    schema: { type: 'string', enum: ['no-store', 'no-store, no-transform'] },
  },
  StreamNotStored: {
    description: 'Always `no-store, no-transform`: a stream is not cacheable, and a proxy must not change it.',
    schema: { type: 'string', const: 'no-store, no-transform' },
  },
  CacheControl: {
    description:
      'The cache policy of a complete reply; `no-store` if the reply is partial, or if it was made with the ' +
      "caller's credentials and a shared cache could serve it to other callers.",
    schema: text,
    example: 'public, max-age=60',
  },
  ETag: {
    description: 'The entity tag of this reply; absent if the reply is partial.',
    schema: text,
    example: 'W/"2jmj7l5rSw0yVb_vlWAYkK_YBwk"',
  },
  Vary: {
    description: 'The request headers on which this reply depends; absent if the reply is not cacheable.',
    schema: text,
    example: 'accept',
  },
  RetryAfter: {
    description: 'The number of seconds after which a retry may succeed.',
    schema: { type: 'integer', minimum: 1 },
    example: 1,
  },
  AcceptQuery: {
    description: 'The media type of a body of the method QUERY (RFC 10008).',
    schema: { type: 'string', const: 'application/json' },
  },
  Complete: {
    description: 'Whether every source is `ok` or `skipped` (a boolean of RFC 9651).',
    schema: { type: 'string', enum: ['?1', '?0'] },
  },
  Sources: {
    description: 'How each step ended, by name (a dictionary of RFC 9651).',
    schema: text,
    example: 'first=ok;ms=31.2, second=fallback;ms=12;code=UPSTREAM_STATUS',
  },
} as const

export type HeaderName = keyof typeof headers

/** Returns a reference to the component of a response header. */
export function header(name: HeaderName, components: Components): JsonSchema {
  return components.shared('headers', name, () => headers[name])
}
