import { relative } from 'node:path'
import { SyntaxKind, type Node, type SourceFile } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'

/** A regular expression that stands in the sources. */
export interface Found {
  /** Below `src`. */
  readonly file: string
  /** As it is written: a literal, or the arguments of `new RegExp(…)`. */
  readonly text: string
  /** Nothing for one that is made at run time. */
  readonly pattern: RegExp | undefined
  /** Whether all matches of a text are looked for, and not the first one alone. */
  readonly isRepeated: boolean
}

/** Methods of a text that go on after the first match, also without the flag `g`. */
const repeating = new Set(['split', 'replaceAll', 'matchAll'])

/** Finds every regular expression below `src` with the parser of TypeScript. */
export function scan(root: string): Found[] {
  const api = new API({})
  try {
    const [project] = api.updateSnapshot({ openProject: `${root}/tsconfig.json` }).getProjects()
    if (project === undefined) throw new Error('tsconfig.json makes no project')
    const src = `${root}/src/`
    return project.program
      .getSourceFileNames()
      .filter(name => name.startsWith(src))
      .toSorted()
      .flatMap(name => found(project.program.getSourceFile(name) as SourceFile, relative(src, name)))
  } finally {
    api.close()
  }
}

function found(source: SourceFile, file: string): Found[] {
  const all: Found[] = []
  const textOf = (node: Node) => source.text.slice(node.getStart(source), node.end)
  const visit = (node: Node, around: readonly Node[]) => {
    if (node.kind === SyntaxKind.RegularExpressionLiteral) {
      const text = textOf(node)
      const end = text.lastIndexOf('/')
      const pattern = new RegExp(text.slice(1, end), text.slice(end + 1))
      all.push({ file, text, pattern, isRepeated: pattern.global || repeating.has(methodOf(around.at(-1), textOf)) })
    } else if (isMade(node, textOf)) all.push({ file, text: textOf(node), pattern: undefined, isRepeated: false })
    node.forEachChild(child => visit(child, [...around, node]))
  }
  visit(source, [])
  return all
}

function isMade(node: Node, textOf: (node: Node) => string): boolean {
  return (
    (node.kind === SyntaxKind.NewExpression || node.kind === SyntaxKind.CallExpression) &&
    textOf((node as Node & { readonly expression: Node }).expression) === 'RegExp'
  )
}

/** The name of the method that is called, for example `split`. */
function methodOf(call: Node | undefined, textOf: (node: Node) => string): string {
  if (call?.kind !== SyntaxKind.CallExpression) return ''
  return (
    textOf((call as Node & { readonly expression: Node }).expression)
      .split('.')
      .at(-1) ?? ''
  )
}
