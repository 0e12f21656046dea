import { readBody } from '../../transport/body.ts'
import type { ResponseHeaders } from '../../spec/answer.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import type { Entry } from './entry.ts'

/** The body of an answer as a store of bodies has it. */
export function bodyText({ responseType }: OperationSpec, body: Buffer): string {
  return body.toString(responseType === 'bytes' ? 'base64' : 'utf8')
}

/**
 * Reads the value out of a kept body, as if it had just come; throws what an answer throws that its operation does not
 * take.
 */
export function valueOf(spec: OperationSpec, { status, head, body }: Entry & { readonly body: string }): unknown {
  return readAnswer(spec, status, head, Buffer.from(body, spec.responseType === 'bytes' ? 'base64' : 'utf8'))
}

/** Reads the value of a whole answer; throws what an answer throws that its operation does not take. */
export function readAnswer(spec: OperationSpec, status: number, head: ResponseHeaders, body: Buffer): unknown {
  return spec.nullOn.includes(status) ? null : readBody(spec, status, head, body)
}
