import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import { writeJson } from '../../core/json/write.ts'
import { revive, withoutBigints } from './bigint-schema.ts'
import { jsonSchema, namedParts } from './json-schema.ts'
import type { JsonSchema, NamedParts, Side } from './schema-types.ts'

type Section = 'examples' | 'headers' | 'parameters' | 'responses' | 'securitySchemes'

/** The components of a document. Each is written once, at its first use. */
export interface Components {
  /** Reserves the ids of a schema of the service. A schema of an aggregate with a reserved id is refused. */
  reserve(schema: z.ZodType): void
  /** Returns a zod schema as JSON Schema. Schemas with an id become components, and reference each other. */
  schema(schema: z.ZodType, side: Side, where: string): JsonSchema
  /** Returns the same without a reference at its root, for a schema that is read field by field. */
  expanded(schema: z.ZodType, side: Side, where: string): JsonSchema
  /** Adds a component for a JSON Schema without a zod schema, and returns a reference to it. */
  named(name: string, shape: JsonSchema, where: string): JsonSchema
  /** Returns a reference to a shared component, which `make` creates at its first use. */
  shared(section: Section, name: string, make: () => object): JsonSchema
  /** Returns the `components` object, and the paths with their final references. */
  finish<T>(paths: T): { readonly paths: T; readonly components: object }
}

const local = '#/$defs/'

/** Creates the components of one document. */
export function createComponents(): Components {
  const shapes: Readonly<Record<Side, Map<string, JsonSchema>>> = { input: new Map(), output: new Map() }
  /** The shapes of the service's own schemas, by id. */
  const own = new Map<string, JsonSchema>()
  const sections = new Map<Section, Map<string, object>>()
  /** Converted schemas. They are cached, since the outcomes and the problems are in every operation. */
  const converted: Readonly<Record<Side, Map<z.ZodType, NamedParts>>> = { input: new Map(), output: new Map() }

  /** Returns a zod schema as JSON Schema in which every reference has a name. */
  function partsOf(schema: z.ZodType, side: Side, where: string): NamedParts {
    const known = converted[side].get(schema)
    if (known !== undefined) return known
    const parts = namedParts(jsonSchema(schema, side, where), where)
    converted[side].set(schema, parts)
    return parts
  }

  function keep(side: Side, id: string, shape: JsonSchema, where: string): void {
    if (!/^[\w.-]+$/.test(id))
      throw new TypeError(`${where}: the id '${id}' is not a component name: use letters, digits, '.', '-' and '_'`)
    if (own.has(id) && !isDeepStrictEqual(own.get(id), shape))
      throw new TypeError(`${where}: the id '${id}' belongs to a schema of the service: give the schema another id`)
    const known = shapes[side].get(id)
    if (known === undefined) shapes[side].set(id, shape)
    else if (!isDeepStrictEqual(known, shape))
      throw new TypeError(`${where}: the id '${id}' already belongs to another schema: give one of the two another id`)
  }

  return {
    reserve(schema) {
      for (const [id, shape] of Object.entries(partsOf(schema, 'output', 'the service').$defs)) own.set(id, shape)
    },
    schema(schema, side, where) {
      const { root, $defs } = partsOf(schema, side, where)
      for (const [id, shape] of Object.entries($defs)) keep(side, id, shape, where)
      return repointed(root, id => `${local}${side}/${id}`)
    },
    expanded(schema, side, where) {
      const { root, $defs } = partsOf(schema, side, where)
      const own = typeof root['$ref'] === 'string' ? root['$ref'].slice(local.length) : undefined
      for (const [id, shape] of Object.entries($defs)) if (id !== own) keep(side, id, shape, where)
      return repointed(own === undefined ? root : ($defs[own] ?? root), id => `${local}${side}/${id}`)
    },
    named(name, shape, where) {
      keep('output', name, shape, where)
      return { $ref: `${local}output/${name}` }
    },
    shared(section, name, make) {
      const parts = sections.get(section) ?? new Map<string, object>()
      sections.set(section, parts)
      if (!parts.has(name)) parts.set(name, make())
      return { $ref: `#/components/${section}/${name}` }
    },
    finish(paths) {
      const twofold = differing(shapes.input, shapes.output)
      const nameOf = (side: Side, id: string) => (side === 'input' && twofold.has(id) ? `${id}Input` : id)
      const settle = <T>(part: T) =>
        repointed(part, path => {
          const [side, id] = path.split('/') as [Side, string]
          return `#/components/schemas/${nameOf(side, id)}`
        })
      const schemas = new Map<string, JsonSchema>()
      for (const side of ['output', 'input'] as const) {
        for (const [id, shape] of shapes[side]) {
          const name = nameOf(side, id)
          const written = settle(
            repointed(shape, each => (each.includes('/') ? local + each : `${local}${side}/${each}`)),
          )
          if (schemas.has(name) && !isDeepStrictEqual(schemas.get(name), written))
            throw new TypeError(
              `the schema '${name.slice(0, -'Input'.length)}' differs between requests and replies, so ` +
                `its request form needs the id '${name}', which another schema has: rename the other schema`,
            )
          schemas.set(name, written)
        }
      }
      const others = Object.fromEntries(
        Array.from(sections, ([section, parts]) => [section, settle(sorted(Object.fromEntries(parts)))]),
      )
      return { paths: settle(paths), components: sorted({ ...others, schemas: sorted(Object.fromEntries(schemas)) }) }
    },
  }
}

/** Returns the same JSON with each reference to a named schema replaced. */
function repointed<T>(part: T, to: (id: string) => string): T {
  return JSON.parse(JSON.stringify(withoutBigints(part)), (key, value: unknown) =>
    typeof value === 'string' && value.startsWith(local) ? to(value.slice(local.length)) : revive(key, value),
  ) as T
}

/** Returns the ids whose schema depends on the side, directly or through a referenced schema. */
function differing(
  input: ReadonlyMap<string, JsonSchema>,
  output: ReadonlyMap<string, JsonSchema>,
): ReadonlySet<string> {
  const found = new Set<string>()
  const both = Array.from(input.keys()).filter(id => output.has(id))
  for (const id of both) if (!isDeepStrictEqual(input.get(id), output.get(id))) found.add(id)
  for (let before = -1; before !== found.size;) {
    before = found.size
    for (const id of both)
      if ([...found].some(other => writeJson(input.get(id)).includes(`"${local}${other}"`))) found.add(id)
  }
  return found
}

function sorted<T>(entries: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)))
}
