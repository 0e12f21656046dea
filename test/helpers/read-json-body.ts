import type { z } from 'zod'
import { readBody } from '../../src/upstream/transport/body.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'

/** Reads a JSON body as an answer to an operation with this output schema. */
export function bodyReader(output: z.ZodType): (text: string) => unknown {
  const { ask } = defineUpstream('u', { origin: 'http://u.test' }, { ask: operation({ path: '/', output }) })
  const { spec } = ask()
  return text => readBody(spec, 200, { 'content-type': 'application/json' }, Buffer.from(text))
}

/** The same once. */
export function readJsonBody(output: z.ZodType, text: string): unknown {
  return bodyReader(output)(text)
}
