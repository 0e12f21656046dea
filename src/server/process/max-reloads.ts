/**
 * The number of reloads after which a process is replaced. Node.js keeps every module that it has evaluated, and frees
 * none before the process ends. docs/operating.md has this number.
 */
export const maxReloads = 1000
