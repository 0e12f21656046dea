import { existsSync } from 'node:fs'
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { openCatalogue } from '../definitions/catalogue.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { printable } from '../log/printable.ts'
import type { Command } from './command.ts'
import { exitCodes } from './help.ts'
import { outputToStderr } from './output-to-stderr.ts'
import { fieldOptions } from './field-options.ts'
import { inputFields, valuesOf } from './run/input-fields.ts'
import { UsageError } from './usage-error.ts'

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
}

/** A function per command name that loads the command. */
type Commands = Readonly<Record<string, () => Promise<{ readonly command: Command }>>>

const help = `headwaters: prints a script that completes commands, options and aggregates in a shell

Usage: headwaters completion bash|zsh|fish

  bash   source <(headwaters completion bash)                 in ~/.bashrc
  zsh    source <(headwaters completion zsh)                  in ~/.zshrc, after compinit
  fish   headwaters completion fish | source                  in ~/.config/fish/config.fish

Completes commands, options and the names of the built-in aggregates. After 'run NAME' and 'explain NAME', completes
the fields of the aggregate and the values of enums. If files or folders follow NAME, they are loaded and the
aggregate is taken from them.

Options
  --help   prints this text; also -h

${exitCodes}`

/** The name of the hidden command that prints the possible next words, one per line. The shell scripts call it. */
const wordsCommand = 'words'

const scripts: Readonly<Record<string, string>> = {
  bash: `_headwaters() {
  local current=\${COMP_WORDS[COMP_CWORD]} word quoted
  COMPREPLY=()
  while IFS= read -r word; do
    printf -v quoted %q "$word"
    [[ $word == "$current"* || $quoted == "$current"* ]] && COMPREPLY+=("$quoted")
  done < <(headwaters completion ${wordsCommand} "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
}
complete -o default -F _headwaters headwaters
`,
  zsh: `_headwaters() {
  local -a candidates
  candidates=("\${(@f)$(headwaters completion ${wordsCommand} "\${(@)words[2,CURRENT-1]}" 2>/dev/null)}")
  compadd -a candidates
  _files
}
compdef _headwaters headwaters
`,
  fish: `function __headwaters_words
  set -l words (commandline -opc)
  headwaters completion ${wordsCommand} $words[2..-1] 2>/dev/null
end
complete -c headwaters -a '(__headwaters_words)'
`,
}

/** Creates the `completion` command for the given commands. */
export function completionOf(commands: Commands): Command {
  return {
    help,
    options: {},
    async run([shell = '', ...words]) {
      if (shell === '--help' || shell === '-h') process.stdout.write(help)
      else if (shell === wordsCommand)
        process.stdout.write(
          (await candidates(commands, words))
            .filter(isWord)
            .map(word => `${word}\n`)
            .join(''),
        )
      else if (Object.hasOwn(scripts, shell) && words.length === 0) process.stdout.write(scripts[shell] as string)
      else
        throw new UsageError(
          `completion needs the name of a shell: bash, zsh or fish, got '${[shell, ...words].join(' ')}'`,
        )
      return 0
    },
  }
}

/** Returns the possible next words after `headwaters` and the given words. */
async function candidates(commands: Commands, words: readonly string[]): Promise<string[]> {
  const [name = '', ...given] = words
  if (words.length === 0) return [...Object.keys(commands), '--help', '--version']
  if (!Object.hasOwn(commands, name)) return name.startsWith('-') ? candidates(commands, ['serve', ...words]) : []
  if (name === 'completion') return given.length === 0 ? Object.keys(scripts) : []
  const { options } = (await (commands[name] as Commands[string])()).command
  if (name === 'run' || name === 'explain') return runCandidates(options, given)
  const last = given.at(-1) ?? ''
  if (takesValue(options, last)) return name === 'serve' && last === '--workers' ? ['auto'] : []
  return namesOf(options)
}

/**
 * Returns the possible next words of `run` and `explain`. Before a name, they include the names of the built-in
 * aggregates. Names from files are not known there, because the files come after the name. After a name, they include
 * the fields of the aggregate.
 */
async function runCandidates(options: ParseArgsOptionsConfig, given: readonly string[]): Promise<string[]> {
  const { positionals, tokens } = parseArgs({
    args: [...given],
    options: { ...fieldOptions(given, options), ...options },
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const [name, ...paths] = positionals
  const last = tokens.at(-1)
  const valued = last?.kind === 'option' && lacksValue(last, options) ? last.name : undefined
  if (valued !== undefined && (name === undefined || Object.hasOwn(options, valued))) return []
  const aggregates = await loadAggregates(paths)
  if (name === undefined) return [...aggregates.map(aggregate => aggregate.name), ...namesOf(options)]
  const aggregate = aggregates.find(each => each.name === name)
  const fields = aggregate === undefined ? [] : inputFields(aggregate)
  if (valued !== undefined) return fields.filter(field => field.name === valued).flatMap(valuesOf)
  return [...fields.map(field => `--${field.name}`), ...namesOf(options)]
}

/** Loads the aggregates of files and folders, or the built-in aggregates. Returns an empty array if loading fails. */
async function loadAggregates(paths: readonly string[]): Promise<readonly AnyAggregate[]> {
  if (!paths.every(path => existsSync(path))) return []
  try {
    const { aggregates, close } = await outputToStderr(() => openCatalogue({ paths, live: true }))
    await close()
    return aggregates
  } catch {
    return []
  }
}

function namesOf(options: ParseArgsOptionsConfig): string[] {
  return Object.keys(options).map(option => `--${option}`)
}

/** Returns true if the next word is the value of the option. A field has a value; an unknown short option has none. */
function lacksValue({ name, rawName, value }: OptionToken, options: ParseArgsOptionsConfig): boolean {
  return rawName.startsWith('--') && value === undefined && options[name]?.type !== 'boolean'
}

function takesValue(options: ParseArgsOptionsConfig, word: string): boolean {
  return word.startsWith('--') && options[word.slice(2)]?.type === 'string'
}

/** Returns true for a text without line breaks and control characters, which a terminal can list safely. */
function isWord(text: string): boolean {
  return text !== '' && printable(text) === text
}
