import type { Components } from './components.ts'
import type { JsonSchema } from './json-schema.ts'

const text = { type: 'string' }

const headers = {
  RequestId: {
    description: "The id under which this request is in the log: the caller's own where it is plain.",
    schema: text,
    example: '7e1a3b52-5f0e-4c43-9a53-0d6a4c1b2f10',
  },
  ServerTiming: {
    description: 'How long each step took, and how it ended (W3C Server Timing).',
    schema: text,
    example: 'first;dur=31.2;desc="ok", second;dur=12.0;desc="fallback"',
  },
  CacheStatus: {
    description: 'How the cache had part in each step that has one (RFC 9211); absent where none has.',
    schema: text,
    example: 'headwaters;hit;ttl=42;detail=first',
  },
  NotStored: {
    description: 'Always `no-store`: an answer of this kind is not to be kept.',
    schema: { type: 'string', const: 'no-store' },
  },
  CacheControl: {
    description:
      "How long a complete answer may be kept; `no-store` when it is not complete, or when it was made with a caller's credentials and others might get it.",
    schema: text,
    example: 'public, max-age=60',
  },
  ETag: {
    description: 'Names this answer; absent when it is not complete.',
    schema: text,
    example: 'W/"2jmj7l5rSw0yVb_vlWAYkK_YBwk"',
  },
  Vary: {
    description: 'The request headers on which this answer depends; absent when it is not to be kept.',
    schema: text,
    example: 'accept',
  },
  RetryAfter: {
    description: 'After how many seconds asking again may help.',
    schema: { type: 'integer', minimum: 1 },
    example: 1,
  },
  Complete: {
    description: 'Whether every step is `ok` or `skipped` (a boolean of RFC 9651).',
    schema: { type: 'string', enum: ['?1', '?0'] },
  },
  Sources: {
    description: 'How each step ended, by name (a dictionary of RFC 9651).',
    schema: text,
    example: 'first=ok;ms=31.2, second=fallback;ms=12;code=UPSTREAM_STATUS',
  },
} as const

/** A reference to a header of a response, which all that send it share. */
export function header(name: keyof typeof headers, components: Components): JsonSchema {
  return components.shared('headers', name, () => headers[name])
}
