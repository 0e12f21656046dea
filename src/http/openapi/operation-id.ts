/** Returns the operation id of an aggregate's name: `catFacts` for `cat-facts`. */
export function operationId(name: string): string {
  return name.replaceAll(/-([a-z0-9])/g, (_, first: string) => first.toUpperCase())
}

/** Returns the begin of the names of the components of an aggregate or an operation: `CatfactNinjaFact`. */
export function componentName(name: string): string {
  const parts = name.split('.').map(operationId)
  return parts.map(part => part.slice(0, 1).toUpperCase() + part.slice(1)).join('')
}
