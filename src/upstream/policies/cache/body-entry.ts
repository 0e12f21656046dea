import { z } from 'zod'
import { readBody } from '../../transport/body.ts'
import type { ResponseHeaders } from '../../spec/answer.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import type { Entry } from './entry.ts'

const ms = z.number().min(0)

/** Entries as they come back from elsewhere; whatever else is in them is of a version that we do not know. */
const Stored = z.object({
  key: z.string(),
  generation: z.string(),
  status: z.int().min(200).max(599),
  head: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  bytes: ms,
  requestedAt: ms,
  receivedAt: ms,
  initialAge: ms,
  lifetime: ms,
  staleWhileRevalidate: ms,
  staleIfError: ms,
  body: z.string(),
})

/** Returns an entry that comes from elsewhere, or `undefined` where it is not the entry of the key. */
export function readEntry(stored: unknown, key: string): (Entry & { readonly body: string }) | undefined {
  const entry = Stored.safeParse(stored).data
  return entry?.key === key ? entry : undefined
}

/** The body of an answer as a store of bodies has it. Only JSON is always UTF-8. */
export function bodyText({ responseType }: OperationSpec, body: Buffer): string {
  return body.toString(encodingOf(responseType))
}

function encodingOf(responseType: OperationSpec['responseType']): 'utf8' | 'base64' {
  return responseType === 'json' ? 'utf8' : 'base64'
}

/**
 * Reads the value out of a kept body, as if it had just come; throws what an answer throws that its operation does not
 * take.
 */
export function valueOf(spec: OperationSpec, { status, head, body }: Entry & { readonly body: string }): unknown {
  return readAnswer(spec, status, head, Buffer.from(body, encodingOf(spec.responseType)))
}

/** Reads the value of a whole answer; throws what an answer throws that its operation does not take. */
export function readAnswer(spec: OperationSpec, status: number, head: ResponseHeaders, body: Buffer): unknown {
  return spec.nullOn.includes(status) ? null : readBody(spec, status, head, body)
}
