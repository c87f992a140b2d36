"""Fixes: text edits over `ast` positions, and the loop that applies them.

How to write the fix of a rule. A fix is computed when it is wanted, by a function without
parameters that returns a `Fix`; pass it to `Rule.report(..., fix=...)`. Its parts come from
functions that all take `text_of(module)` first and return an `Edit` or a tuple of edits. Where the
change would lose a comment or cannot be made they raise `Unfixable` with the reason, so no part
needs a check of its own. `fix_of` puts parts together:

    def fix() -> Fix:
        text = text_of(context.module)
        return fix_of("Use `pattern`", "safe", rename_argument(text, call, "regex", "pattern"))

    yield self.report(keyword, fix=fix)

A case that its rule leaves to a person says why, in `far fix` and in JSON: the function raises
`Unfixable("the project calls the function")`, or the report carries it (`fix=Unfixable(...)`) when
that is known at once. A reason is a clause without names of the code where it can do without: equal
reasons are counted together.

What there is:

- `edit`: `replace`, `wrap`, `rename` for expressions; `add_argument`, `set_argument`,
  `rename_argument`, `replace_argument`, `remove_argument` for calls; `append_element`,
  `remove_element`, `replace_element` for displays; `add_decorator`, `remove_decorator`;
  `delete_statement(s)`, `replace_statement`, `insert_before`, `insert_after`, `insert_into_body`,
  `delete_return_value` for statements.
- `imports`: `ensure_import(text, module, name, at)` gives the name to write and the edits that
  import it; `ensure_imports` several; `replace_reference` exchanges a dotted name and its import;
  `remove_unused_import`.
- `signature`: `use_annotated`, `use_annotated_everywhere`, `remove_default`, `replace_default`,
  `add_default`, `annotate`, `add_parameter`, `remove_parameter`. Give such fixes the group
  `signature_group(function)`. `parameters` adds what the project knows of the callers.
- `idioms`: what several rules share: `change_verb`, `wrap_in_list`, `allow_none`,
  `replace_mutable_default`, `call_async`, `split_called_argument`, `config_to_model_config`.
- `lifespan`: `lifespan_from_events` turns all event handlers of an app into one lifespan.
- `cst`: `transform_statement` for what needs libcst; it imports libcst when called.
- `apply`: the loop; `files`: reading, writing, diffs; `noqa`: `# noqa` comments.

Imports of the standard library and of the framework that the fixes of a file leave without a use
are dropped at the end; no fix has to see to that.

What a fix must hold: `Fix.edits` do not overlap; the file parses after each single fix; every
comment survives; applying it once more finds nothing to do. An edit never contains code that the
author did not write and the title does not announce. Fixes that share a place (a signature, the
last use of an import) share a `group`. A fix that leads to a finding of another rule, because that
one could not tell before, names its code in `leads_to`; any other new finding rejects the fix.
"""
