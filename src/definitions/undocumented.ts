import { DocumentError } from '../http/openapi/document-error.ts'
import type { DefinitionFault } from './definitions-error.ts'
import type { Found } from './read-module.ts'

/** Returns a fault for each part of an aggregate that the API document cannot describe. */
export async function undocumented(found: readonly Found[]): Promise<DefinitionFault[]> {
  const { openapiDocument } = await import('../http/openapi/document.ts')
  try {
    openapiDocument(found.map(({ aggregate }) => aggregate))
    return []
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    return error.faults.flatMap(({ aggregate, reason }) => {
      const file = found.find(each => each.aggregate.name === aggregate)?.file ?? 'all aggregates'
      return reason.split('\n').map(line => ({ file, reason: line }))
    })
  }
}
