/** The name of an aggregate as programs write it: `cat-facts` is `catFacts`. */
export function operationId(name: string): string {
  return name.replaceAll(/-([a-z0-9])/g, (_, first: string) => first.toUpperCase())
}
