import { z } from 'zod'
import { mayBeAbsent, orNull } from './absent-value.ts'
import { withoutJsonType } from './any-json.ts'
import { revive } from './bigint-schema.ts'
import { reachOf, withoutRefs } from './references.ts'
import type { JsonSchema, NamedParts, Side } from './schema-types.ts'
import { tidy } from './tidy.ts'
import { marksIn, wireForm, withoutMarks, type Metadata } from './unrepresentable.ts'

/** The options of a conversion. */
interface Conversion {
  /** Metadata of the schemas. @default the metadata of `.meta()` */
  readonly metadata?: Metadata
  /** Zod types without a JSON Schema that become the empty schema. Other such types are refused. @default none */
  readonly open?: ReadonlySet<string>
}

const noTypes: ReadonlySet<string> = new Set()

/**
 * Returns a zod schema as JSON Schema (draft 2020-12). A response that may be `undefined` is `null`. Throws a
 * `TypeError` with one line per type that JSON does not have, and its place.
 */
export function jsonSchema(
  schema: z.ZodType,
  side: Side,
  where: string,
  { metadata = z.globalRegistry, open = noTypes }: Conversion = {},
): NamedParts {
  let draft: unknown
  try {
    draft = z.toJSONSchema(schema, {
      io: side,
      metadata: metadata as typeof z.globalRegistry,
      override: ({ zodSchema, jsonSchema: part }) => tidy(zodSchema, part as Record<string, unknown>, side, metadata),
      unrepresentable: ({ zodSchema, path }) => wireForm(zodSchema, side, path),
    })
  } catch (error) {
    throw new TypeError(`${where}: ${(error as Error).message}`, { cause: error })
  }
  // The conversion to text drops everything that is not JSON.
  const {
    $schema: _,
    $defs = {},
    ...root
  } = withoutMarks(
    JSON.parse(JSON.stringify(draft), revive) as JsonSchema & { readonly $defs?: Record<string, JsonSchema> },
    open,
  )
  const faults = marksIn({ ...root, $defs }, where)
  if (faults.length > 0) throw new TypeError(faults.join('\n'))
  const parts = withoutJsonType({ root, $defs })
  return side === 'output' && mayBeAbsent(schema) ? { ...parts, root: orNull(parts.root) } : parts
}

/**
 * Returns the parts, without the names that zod generated. zod generates a name for a part through which a schema with
 * an id refers to itself, for example the list of children in a tree. References to such a part are replaced by its
 * content. Throws a `TypeError` if a schema that contains itself has no name: only a named schema can be referenced.
 */
export function namedParts({ root, $defs }: NamedParts, where: string): NamedParts {
  const [nameless, named] = [new Map<string, JsonSchema>(), new Map<string, JsonSchema>()]
  for (const [id, part] of Object.entries($defs)) (id.startsWith('__schema') ? nameless : named).set(id, part)
  const reach = reachOf(Object.fromEntries(nameless))
  if (
    Array.from(reach).some(([id, reached]) => reached.has(id)) ||
    reachOf({ ...$defs, '#': root })
      .get('#')
      ?.has('#')
  )
    throw new TypeError(`${where}: a recursive schema needs an id: add .meta({ id: 'Name' })`)
  const written = <T>(value: T): T =>
    withoutRefs(value, id => (nameless.has(id) ? written(nameless.get(id) as JsonSchema) : undefined))
  return {
    root: written(root),
    $defs: Object.fromEntries(Array.from(named, ([id, part]) => [id, written(part)])),
  }
}
