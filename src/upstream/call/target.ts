import { z } from 'zod'
import { compiledAtFirstCall } from '../../core/generate.ts'
import { needsExact } from '../../core/json/needs-exact.ts'
import { wireSchema } from '../../core/json/wire-schema.ts'
import { fieldReaders } from '../../core/schema/field-readers.ts'
import { defOf } from '../../core/schema/wrapped.ts'
import { queryNameMatcher } from '../spec/query-name.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { fillTemplate } from '../spec/template.ts'
import { compilePath, compileQuery, type PartWriter } from './compile-target.ts'
import { parseInput, picker, type Fields } from './parse-input.ts'
import { writeQuery } from './query.ts'

/** Writes a part of the request target from the input of a call. Throws `CALL_INPUT_INVALID` for a refused input. */
type TargetWriter = (input: Fields) => string

/**
 * The two forms of a writer. Both return the same text. The compiled form returns `undefined` for an input that only
 * the plain form can write or refuse.
 */
export interface TargetForms {
  readonly plain: TargetWriter
  readonly compile: () => PartWriter | undefined
}

/** Returns the writer that tries the compiled form, which is compiled at the first call. */
export function writerOf({ plain, compile }: TargetForms): TargetWriter {
  const compiled = compiledAtFirstCall(compile)
  return input => compiled(input) ?? plain(input)
}

/**
 * Returns the forms of the writer of a path.
 *
 * @param isShared True if other schemas of the operation read the same input.
 */
export function pathForms({ name, template }: OperationSpec, params: z.ZodType, isShared: boolean): TargetForms {
  const pick = picker(params, isShared)
  return {
    plain: input => fillTemplate(template, parseInput(params, pick(input), name) as Fields, name),
    compile: () => compilePath(template, readersOf(params, isShared)),
  }
}

/**
 * Returns the forms of the writer of a query, which begins with its question mark.
 *
 * @param isShared True if other schemas of the operation read the same input.
 */
export function queryForms(
  { name, upstream: { auth } }: OperationSpec,
  query: z.ZodType,
  isShared: boolean,
): TargetForms {
  const pick = picker(query, isShared)
  const isReserved = auth !== undefined && 'query' in auth ? queryNameMatcher(auth.query) : undefined
  return {
    plain: input => writeQuery(parseInput(query, pick(input), name) as Fields, name, isReserved),
    compile: () => {
      const readers = readersOf(query, isShared)
      return readers?.some(({ name }) => isReserved?.(name)) === true ? undefined : compileQuery(readers)
    },
  }
}

/** Returns the readers of an object schema whose output has no other fields. */
function readersOf(schema: z.ZodType, isShared: boolean): ReturnType<typeof fieldReaders> {
  const isPicked = isShared && schema instanceof z.ZodObject
  if (!isPicked && defOf(schema).catchall !== undefined) return undefined
  return needsExact(schema) ? fieldReaders(schema, wireSchema) : fieldReaders(schema)
}
