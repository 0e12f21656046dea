/** Returns a path template in Fastify's syntax: `/breeds/{id}` is `/breeds/:id`, and a literal colon is `::`. */
export function fastifyPath(template: string): string {
  return template.replaceAll(':', '::').replaceAll(/\{([^{}]*)\}/g, ':$1')
}

/** Returns a path template without its parameters' names. Templates with equal shapes match the same URLs. */
export function pathShape(template: string): string {
  return template.replaceAll(/\{[^{}]*\}/g, '{}')
}

/** Returns the names of a path template's parameters, in order. */
export function parameterNames(template: string): string[] {
  return Array.from(template.matchAll(/\{([^{}]*)\}/g), match => match[1] as string)
}
