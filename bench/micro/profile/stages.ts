/** A function in a profile of V8. */
export interface Frame {
  readonly functionName: string
  readonly url: string
}

/** Stages of a request in order. */
export const stages = [
  'inbound parse and routing',
  'hooks',
  'input schema',
  'scheduling',
  'layers',
  'dispatch',
  'wire write',
  'answer parse',
  'JSON.parse and text',
  'part and reply schema',
  'merge',
  'reply text',
  'reply write',
  'promises and ticks',
  'garbage collection',
  'loop, reads and idle',
  'other',
] as const

export type Stage = (typeof stages)[number]

interface Rule {
  readonly stage: Stage
  readonly file?: RegExp
  readonly name?: RegExp
}

/** The first rule that matches a frame determines its stage. */
const rules: readonly Rule[] = [
  { stage: 'garbage collection', name: /^\(garbage collector\)$/ },
  { stage: 'loop, reads and idle', name: /^\((?:idle|program)\)$/ },
  { stage: 'merge', file: /\/bench\/compare\/app\/service\.ts$/ },
  { stage: 'input schema', file: /\/src\/fanout\/(?:header-)?input\.ts$/ },
  { stage: 'part and reply schema', file: /\/src\/core\/schema\// },
  // The function that is compiled from a schema.
  { stage: 'part and reply schema', file: /^$/, name: /^read$/ },
  { stage: 'part and reply schema', file: /\/src\/upstream\/transport\/body\.ts$/, name: /^checked$/ },
  { stage: 'JSON.parse and text', file: /\/src\/upstream\/transport\/body(?:-buffer)?\.ts$/ },
  { stage: 'merge', file: /\/src\/fanout\/ending\.ts$/ },
  { stage: 'scheduling', file: /\/src\/fanout\// },
  {
    stage: 'layers',
    file: /\/src\/upstream\/(?:policies\/|call\/|client|runtime)|\/src\/core\/(?:abort|timer-queue)\.ts$/,
  },
  { stage: 'answer parse', file: /\/src\/upstream\/transport\/(?:exchange|response-headers)\.ts$/ },
  { stage: 'dispatch', file: /\/src\/upstream\// },
  { stage: 'reply text', file: /\/src\/(?:core\/json|http\/reply)\// },
  { stage: 'hooks', file: /\/src\/http\// },
  { stage: 'wire write', file: /\/undici\/lib\/dispatcher\/client-h1\.js$/, name: /^write/ },
  { stage: 'answer parse', file: /\/undici\/lib\/dispatcher\/client-h1\.js$|\/undici\/lib\/llhttp|^wasm:/ },
  { stage: 'answer parse', file: /\/undici\//, name: /^onResponse|^parseHeaders/ },
  { stage: 'dispatch', file: /\/undici\// },
  { stage: 'reply write', file: /\/fastify\/lib\/reply\.js$|_http_outgoing$/ },
  { stage: 'reply write', file: /_http_server$/, name: /^(?:resOnFinish|writeHead)/ },
  {
    stage: 'inbound parse and routing',
    file: /_http_server$|_http_incoming$|_http_common$|\/fastify\/|\/find-my-way\//,
  },
]

/** Rules for stacks without a frame of this project. */
const others: readonly Rule[] = [
  { stage: 'promises and ticks', name: /^(?:runMicrotasks|processTicksAndRejections)$/ },
  { stage: 'loop, reads and idle', file: /^node:/ },
]

/** Returns the stage of a stack, which starts with the leaf: the stage of the first frame that matches a rule. */
export function stageOf(stack: readonly Frame[]): Stage {
  return nearest(stack, rules) ?? nearest(stack, others) ?? 'other'
}

function nearest(stack: readonly Frame[], among: readonly Rule[]): Stage | undefined {
  for (const { functionName, url } of stack) {
    for (const { stage, file, name } of among) {
      if ((file === undefined || file.test(url)) && (name === undefined || name.test(functionName))) return stage
    }
  }
  return undefined
}
