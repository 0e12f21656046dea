/** The state of the search at one node. */
interface Visit {
  /** The order in which the node was reached. */
  readonly order: number
  /** The order of the first node that can be reached from it and is on the stack. */
  low: number
  isOnStack: boolean
}

/**
 * Returns the cycles of a graph: one path for each group of nodes that all need each other, in the order of the needs.
 * A node that needs itself is a cycle of one. It finds the groups by Tarjan's algorithm, in one pass.
 *
 * @param needs The nodes that each node needs, by index.
 */
export function cyclesOf(needs: readonly (readonly number[])[]): number[][] {
  const visits = new Map<number, Visit>()
  const stack: number[] = []
  const cycles: number[][] = []

  /** The number of calls is limited, so this may recurse. */
  function visit(node: number): Visit {
    const own: Visit = { order: visits.size, low: visits.size, isOnStack: true }
    visits.set(node, own)
    stack.push(node)
    for (const need of needs[node] as readonly number[]) {
      const other = visits.get(need) ?? visit(need)
      if (other.isOnStack) own.low = Math.min(own.low, other.low)
    }
    if (own.low === own.order) {
      const group = new Set(stack.splice(stack.lastIndexOf(node)))
      for (const member of group) (visits.get(member) as Visit).isOnStack = false
      if (group.size > 1 || (needs[node] as readonly number[]).includes(node)) cycles.push(pathWithin(group, needs))
    }
    return own
  }

  for (const node of needs.keys()) if (!visits.has(node)) visit(node)
  return cycles
}

/** Follows the needs within a group until a node repeats. The path begins with its first node. */
function pathWithin(group: ReadonlySet<number>, needs: readonly (readonly number[])[]): number[] {
  const path: number[] = []
  let node = Math.min(...group)
  while (!path.includes(node)) {
    path.push(node)
    node = (needs[node] as readonly number[]).find(need => group.has(need)) as number
  }
  const cycle = path.slice(path.indexOf(node))
  const first = cycle.indexOf(Math.min(...cycle))
  return [...cycle.slice(first), ...cycle.slice(0, first)]
}
