import { stringify } from 'yaml'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { openapiDocument, type OpenapiDocument, type OpenapiOptions } from './document.ts'

/** The OpenAPI document as YAML, the same for the same aggregates. */
export function openapiYaml(aggregates: readonly AnyAggregate[], options: OpenapiOptions = {}): string {
  return yamlOf(openapiDocument(aggregates, options))
}

/** A document as YAML, long lines left long. */
export function yamlOf(document: OpenapiDocument): string {
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })
}
