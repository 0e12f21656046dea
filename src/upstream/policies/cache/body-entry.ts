import { z } from 'zod'
import { readBody } from '../../transport/body.ts'
import type { ResponseHeaders } from '../../spec/answer.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import type { Entry } from './entry.ts'
import { pickStored } from './key-value.ts'

const ms = z.number().min(0)

/**
 * The form of an entry that a store of `bodies` returns. Other fields are ignored: they may belong to another version.
 */
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
  keyIndex: z.int().min(0).optional(),
})

/** Returns an entry of a store of `bodies`, or `undefined` if it is not a valid entry of the key. */
export function readEntry(stored: unknown, key: string): (Entry & { readonly body: string }) | undefined {
  const entry = Stored.safeParse(stored).data
  return entry?.key === key ? entry : undefined
}

/**
 * Returns the body of an answer as a store of `bodies` keeps it. Only JSON is always UTF-8, so other bodies are base64.
 */
export function bodyText({ responseType }: OperationSpec, body: Buffer): string {
  return body.toString(encodingOf(responseType))
}

function encodingOf(responseType: OperationSpec['responseType']): 'utf8' | 'base64' {
  return responseType === 'json' ? 'utf8' : 'base64'
}

/**
 * Reads the value from a stored body like a received one. Throws if the operation does not accept the answer.
 *
 * @param key The key of the call, for an entry of a batch.
 */
export function valueOf(
  spec: OperationSpec,
  { status, head, body, keyIndex }: Entry & { readonly body: string },
  key: unknown,
): unknown {
  const value = readAnswer(spec, status, head, Buffer.from(body, encodingOf(spec.responseType)))
  return keyIndex === undefined ? value : pickStored(spec, value, key, keyIndex)
}

/** Reads the value of a complete answer. Throws if the operation does not accept the answer. */
export function readAnswer(spec: OperationSpec, status: number, head: ResponseHeaders, body: Buffer): unknown {
  if (spec.nullOn.includes(status)) return null
  // The operation had `nullOn` or `responses` when the answer was stored.
  if (spec.responses === undefined && (status < 200 || status > 299))
    throw new TypeError('the stored status is not an answer of the operation')
  return readBody(spec, status, head, body)
}
