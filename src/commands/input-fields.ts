import type { z } from 'zod'
import type { AnyAggregate } from '../fanout/aggregate.ts'

/** One value that an aggregate takes in its path or its query. */
export interface InputField {
  readonly part: 'params' | 'query'
  readonly name: string
  /** The author's sentence, where there is one. */
  readonly description: string | undefined
  /** Whether a run needs it. */
  readonly isRequired: boolean
}

interface Def { readonly shape?: Readonly<Record<string, z.ZodType>>, readonly innerType?: z.ZodType, readonly in?: z.ZodType }

/** The values an aggregate takes by name, params first. */
export function inputFields ({ route }: AnyAggregate): InputField[] {
  return (['params', 'query'] as const).flatMap(part =>
    Object.entries(shapeOf(route[part]) ?? {}).map(([name, schema]) =>
      ({ part, name, description: schema.description, isRequired: !schema.safeParse(undefined).success })))
}

function shapeOf (schema: z.ZodType | undefined): Readonly<Record<string, z.ZodType>> | undefined {
  if (schema === undefined) return undefined
  const { shape, innerType, in: source } = schema._zod.def as unknown as Def
  return shape ?? shapeOf(innerType ?? source)
}
