/** Writes a path template as Fastify does: `/breeds/{id}` is `/breeds/:id`, and a colon that is one is `::`. */
export function fastifyPath(template: string): string {
  return template.replaceAll(':', '::').replaceAll(/\{([^{}]*)\}/g, ':$1')
}
