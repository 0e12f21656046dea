import type { z } from 'zod'
import { measuredLength } from '../../core/json/excess.ts'
import { hasDoubtful } from '../../core/json/integers.ts'
import { inexact, numberFault } from '../../core/json/number-fault.ts'
import { parseExact } from '../../core/json/parse.ts'
import { wireSchema } from '../../core/json/wire-schema.ts'
import { readToFirstError } from '../../core/schema/first-error.ts'
import { compileWireParser, INVALID } from '../../core/schema/parser.ts'
import { UpstreamError } from '../../errors.ts'
import type { OperationSpec } from '../spec/spec.ts'

/** Returns the schema of the answers with a status. A status that `responses` does not list has a schema that refuses. */
export function outputOf({ responses, output }: OperationSpec, status: number): z.ZodType {
  return responses === undefined ? output : (responses.get(status)?.schema ?? output)
}

/** Parses a value by a schema. A refused value is parsed again, with the exact integers of its text if there is one. */
export function parseChecked(
  spec: OperationSpec,
  schema: OperationSpec['output'],
  status: number,
  value: unknown,
  compile = compileWireParser,
  text?: string,
): unknown {
  const parsed = compile(schema)(value)
  if (parsed !== INVALID) return parsed
  const exact = text !== undefined && hasDoubtful(value) ? parseExact(text) : value
  return unwrapResult(
    spec,
    status,
    text !== undefined && text.length > measuredLength
      ? readToFirstError(schema, exact)
      : wireSchema(schema).safeParse(exact),
    text,
  )
}

export function unwrapResult(
  spec: OperationSpec,
  status: number,
  { success, data, error }: z.ZodSafeParseResult<unknown>,
  text: string | undefined,
): unknown {
  if (success) return data
  throw schemaError(spec, status, error, text)
}

function schemaError(
  spec: OperationSpec,
  upstreamStatus: number,
  error: z.ZodError,
  text: string | undefined,
): UpstreamError {
  const fault = numberFault(error)
  // Headers and texts become numbers only by coercion.
  return new UpstreamError('UPSTREAM_SCHEMA', spec.upstream.name, {
    upstreamStatus,
    cause: error,
    ...(fault !== undefined && {
      detail:
        `one of its values ${fault}` +
        (fault === inexact ? `: declare ${text === undefined ? 'z.coerce.bigint()' : 'z.bigint()'} for it` : ''),
    }),
  })
}
