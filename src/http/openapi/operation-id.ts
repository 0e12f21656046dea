/** Returns the operation id of an aggregate's name: `catFacts` for `cat-facts`. */
export function operationId(name: string): string {
  return name.replaceAll(/-([a-z0-9])/g, (_, first: string) => first.toUpperCase())
}
