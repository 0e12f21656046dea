import { stringify } from 'yaml'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { openapiDocument, type OpenapiDocument, type OpenapiOptions } from './document.ts'

/** Returns the OpenAPI document of aggregates as YAML. Equal aggregates have equal documents. */
export function openapiYaml(aggregates: readonly AnyAggregate[], options: OpenapiOptions = {}): string {
  return yamlOf(openapiDocument(aggregates, options))
}

/** Returns a document as YAML without line wrapping. */
export function yamlOf(document: OpenapiDocument): string {
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })
}
