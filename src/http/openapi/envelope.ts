import type { JsonSchema } from './schema-types.ts'

/** Returns the fields of a reply with an envelope. `sources` is false if callers do not see the sources. */
export function envelopeOf(data: JsonSchema, sources: JsonSchema | false): JsonSchema {
  return {
    properties: {
      data,
      complete: { type: 'boolean', description: 'Whether every source is `ok` or `skipped`.' },
      ...(sources && { sources }),
    },
    required: ['data', 'complete', ...(sources ? ['sources'] : [])],
  }
}
