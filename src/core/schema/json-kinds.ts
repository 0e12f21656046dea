import type { z } from 'zod'
import { valuesOf } from '../json/parts.ts'
import { formsOf, type Schemas, type Side } from './at-pointer.ts'
import { defOf } from './wrapped.ts'

/** The kinds of JSON values. */
export type JsonKind = 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array'

const kindsOfType: Readonly<Record<string, readonly JsonKind[]>> = {
  string: ['string'],
  template_literal: ['string'],
  number: ['number'],
  bigint: ['number'],
  boolean: ['boolean'],
  null: ['null'],
  object: ['object'],
  record: ['object'],
  array: ['array'],
  tuple: ['array'],
  nullable: ['null'],
  never: [],
}

/**
 * Returns the kinds of the JSON values that schemas may read or return.
 *
 * @returns Undefined if they may be of any kind.
 */
export function kindsOf(schemas: Schemas, side: Side): ReadonlySet<JsonKind> | undefined {
  if (schemas === 'open') return undefined
  const kinds = new Set<JsonKind>()
  for (const schema of schemas) {
    for (const form of formsOf(schema, side)) {
      const own = kindsOfForm(form, side)
      if (own === undefined) return undefined
      for (const kind of own) kinds.add(kind)
    }
  }
  return kinds
}

function kindsOfForm(form: z.ZodType, side: Side): readonly JsonKind[] | undefined {
  const { type, coerce } = defOf(form)
  // A schema that converts its input reads values of any kind.
  if (coerce === true && side === 'input') return undefined
  if (type === 'enum' || type === 'literal') return [...valuesOf(form)].flatMap(kindsOfValue)
  return Object.hasOwn(kindsOfType, type) ? kindsOfType[type] : undefined
}

function kindsOfValue(value: unknown): readonly JsonKind[] {
  if (value === null) return ['null']
  if (typeof value === 'bigint') return ['number']
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? [typeof value as JsonKind]
    : []
}
