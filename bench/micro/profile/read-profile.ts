import { stageOf, stages, type Frame, type Stage } from './stages.ts'

interface Node {
  readonly id: number
  readonly callFrame: Frame
  readonly children?: readonly number[]
}

/** The format of `--cpu-prof`. */
export interface CpuProfile {
  readonly nodes: readonly Node[]
  readonly samples: readonly number[]
  /** Time between samples, in µs. */
  readonly timeDeltas: readonly number[]
  readonly startTime: number
  readonly endTime: number
}

interface HeapNode {
  readonly callFrame: Frame
  readonly selfSize: number
  readonly children: readonly HeapNode[]
}

/** The format of `--heap-prof`: a sample of allocations. */
export interface HeapProfile {
  readonly head: HeapNode
}

/** Returns the time of each stage in the last part of a CPU profile, in µs. */
export function cpuByStage(
  { nodes, samples, timeDeltas, startTime, endTime }: CpuProfile,
  lastMicros: number,
): Record<Stage, number> {
  const byId = new Map(nodes.map(node => [node.id, node]))
  const parents = new Map(nodes.flatMap(node => (node.children ?? []).map(child => [child, node.id] as const)))
  const known = new Map<number, Stage>()
  const micros = none()

  function stageAt(id: number): Stage {
    let stage = known.get(id)
    if (stage === undefined) {
      const stack: Frame[] = []
      for (let at: number | undefined = id; at !== undefined; at = parents.get(at))
        stack.push((byId.get(at) as Node).callFrame)
      known.set(id, (stage = stageOf(stack)))
    }
    return stage
  }

  let at = startTime
  for (const [index, id] of samples.entries()) {
    at += timeDeltas[index] ?? 0
    if (at >= endTime - lastMicros) micros[stageAt(id)] += timeDeltas[index + 1] ?? 0
  }
  return micros
}

/** Returns the sampled bytes of each stage. */
export function bytesByStage({ head }: HeapProfile): Record<Stage, number> {
  const bytes = none()
  const visit = ({ callFrame, selfSize, children }: HeapNode, above: readonly Frame[]): void => {
    const stack = [callFrame, ...above]
    if (selfSize > 0) bytes[stageOf(stack)] += selfSize
    for (const child of children) visit(child, stack)
  }
  visit(head, [])
  return bytes
}

function none(): Record<Stage, number> {
  return Object.fromEntries(stages.map(stage => [stage, 0])) as Record<Stage, number>
}
