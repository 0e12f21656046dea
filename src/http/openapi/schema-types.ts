/** The request side or the response side. A schema with defaults or transforms has a different shape on each. */
export type Side = 'input' | 'output'

export type JsonSchema = Readonly<Record<string, unknown>>

/** A JSON Schema with its named schemas in `$defs`. */
export interface NamedParts {
  readonly root: JsonSchema
  readonly $defs: Readonly<Record<string, JsonSchema>>
}
