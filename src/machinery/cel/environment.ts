import { check } from './checker.js';
import { WELL_KNOWN_TYPES } from './library/well-known.js';
import { type CompileEnvironment, compile as compileProgram } from './program/compiler.js';
import { Program } from './program/program.js';
import type { Expr } from './syntax/ast.js';
import type { Issues } from './syntax/issues.js';
import type { Macro } from './syntax/macros.js';
import { parse } from './syntax/parser.js';
import type { DeclType } from './types/decl-type.js';
import type { Overload } from './types/declarations.js';
import type { TypeProvider } from './types/environment.js';
import * as t from './types/type.js';
import { validateLiterals } from './validators.js';
import { CelError } from './values/error.js';
import type { Int } from './values/numbers.js';

/** Object types that an environment knows beyond those of its variables. */
export interface ObjectTypes {
  findStruct(name: string): t.Type | undefined;
  findField(structName: string, field: string): t.Type | undefined;
  /** The number of an enum's value (`google.protobuf.NullValue.NULL_VALUE`). */
  findEnumValue?(name: string): Int | undefined;
  /** Makes a value from `Name{field: value}`. Fails with CelError. */
  construct?(typeName: string, fields: ReadonlyMap<string, unknown>): unknown;
}

/** A set of functions and macros. Functions of one name in several libraries are merged. */
export interface Library {
  functions: Readonly<Record<string, readonly Overload[]>>;
  macros?: ReadonlyArray<[string, Macro]>;
  /** Types that expressions can name. */
  types?: readonly t.Type[];
}

/** Names of types that every environment has. */
const TYPE_NAMES = new Map(
  [t.BOOL, t.BYTES, t.DOUBLE, t.INT, t.LIST, t.MAP, t.NULL, t.STRING, t.TYPE, t.UINT, t.TIMESTAMP, t.DURATION].map(
    (type) => [type.name, type],
  ),
);

/** The result of looking at an expression: its type, or what is wrong with it. */
export type Checked = { expr: Expr; type: t.Type; issues?: undefined } | { issues: Issues };

interface Parts {
  functions: ReadonlyMap<string, readonly Overload[]>;
  macros: ReadonlyMap<string, Macro>;
  typeNames: ReadonlyMap<string, t.Type>;
  variables: ReadonlyMap<string, { type: t.Type; decl: DeclType | undefined }>;
  /** Object types of variables, by name. */
  decls: ReadonlyMap<string, DeclType>;
  objects: readonly ObjectTypes[];
  options: EnvironmentOptions;
}

export interface EnvironmentOptions {
  optionalSyntax: boolean;
  escapedNames: boolean;
  /** Whether `a.namespace` means the field that must otherwise be written `__namespace__`. */
  keywordFields: boolean;
  /** Whether the elements of list and map literals must have one type, which Kubernetes wants and CEL itself does not. */
  homogeneousLiterals: boolean;
}

/** Words that the schemas' field names escape. */
const KEYWORDS = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** What expressions can refer to: functions, macros, variables and types. Immutable. */
export class Environment implements TypeProvider {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static create(libraries: readonly Library[], options: Partial<EnvironmentOptions> = {}): Environment {
    return new Environment({
      functions: new Map(),
      macros: new Map(),
      typeNames: TYPE_NAMES,
      variables: new Map(),
      decls: new Map(),
      objects: [WELL_KNOWN_TYPES],
      options: {
        optionalSyntax: true,
        escapedNames: false,
        keywordFields: true,
        homogeneousLiterals: true,
        ...options,
      },
    }).withLibraries(libraries);
  }

  withLibraries(libraries: readonly Library[]): Environment {
    const functions = new Map(this.#parts.functions);
    const macros = new Map(this.#parts.macros);
    const typeNames = new Map(this.#parts.typeNames);
    for (const library of libraries) {
      for (const [name, overloads] of Object.entries(library.functions)) {
        functions.set(name, [...(functions.get(name) ?? []), ...overloads]);
      }
      for (const [name, macro] of library.macros ?? []) macros.set(name, macro);
      for (const type of library.types ?? []) typeNames.set(type.name, type);
    }
    return new Environment({ ...this.#parts, functions, macros, typeNames });
  }

  /** Adds variables; those given as DeclType bring their object types with them. */
  withVariables(variables: Readonly<Record<string, t.Type | DeclType>>): Environment {
    const all = new Map(this.#parts.variables);
    const decls = new Map(this.#parts.decls);
    for (const [name, given] of Object.entries(variables)) {
      const decl = given instanceof t.Type ? undefined : given;
      all.set(name, { type: given instanceof t.Type ? given : given.type, decl });
      if (decl) collectObjects(decl, decls);
    }
    return new Environment({ ...this.#parts, variables: all, decls });
  }

  withObjects(objects: ObjectTypes): Environment {
    return new Environment({ ...this.#parts, objects: [...this.#parts.objects, objects] });
  }

  findType(name: string): t.Type | undefined {
    return this.#parts.typeNames.get(name);
  }

  findStruct(name: string): t.Type | undefined {
    return this.#parts.decls.get(name)?.type ?? this.#objects(name)?.findStruct(name);
  }

  findField(structName: string, field: string): t.Type | undefined {
    const decl = this.#parts.decls.get(structName);
    if (!decl) return this.#objects(structName)?.findField(structName, field);
    const fields = decl.fields;
    return (fields?.get(field) ?? (this.#escapes(field) ? fields?.get(`__${field}__`) : undefined))?.decl.type;
  }

  findEnumValue(name: string): Int | undefined {
    for (const objects of this.#parts.objects) {
      const value = objects.findEnumValue?.(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  #escapes(field: string): boolean {
    return this.#parts.options.keywordFields && KEYWORDS.has(field);
  }

  #objects(name: string): ObjectTypes | undefined {
    return this.#parts.objects.find((objects) => objects.findStruct(name));
  }

  /** Parses and type-checks an expression. */
  check(text: string): Checked {
    const { options, macros, functions } = this.#parts;
    const { expr, issues } = parse(text, { ...options, macros });
    if (issues.count > 0) return { issues };
    const variables = new Map([...this.#parts.variables].map(([name, { type }]) => [name, type]));
    const type = check(expr, { variables, functions, types: this }, issues);
    if (issues.count === 0) validateLiterals(expr, issues, options.homogeneousLiterals);
    return issues.count > 0 ? { issues } : { expr, type };
  }

  /**
   * Makes a checked expression ready to run.
   * @throws CelError for constants that cannot be computed.
   */
  program(checked: { expr: Expr; type: t.Type }): Program {
    const env: CompileEnvironment = {
      functions: this.#parts.functions,
      declOf: (name) => this.#parts.variables.get(name)?.decl,
      construct: (typeName, fields) => {
        const objects = this.#objects(typeName);
        if (!objects?.construct) throw new CelError(`unknown type: ${typeName}`);
        return objects.construct(typeName, fields);
      },
    };
    const { run, slots } = compileProgram(checked.expr, env);
    return new Program(run, slots);
  }
}

/** Registers the object types within a type by name. */
function collectObjects(decl: DeclType, found: Map<string, DeclType>): void {
  if (decl.type.kind === 'struct') {
    if (found.get(decl.type.name) === decl) return;
    found.set(decl.type.name, decl);
  }
  for (const field of decl.fields?.values() ?? []) collectObjects(field.decl, found);
  if (decl.element) collectObjects(decl.element, found);
}
