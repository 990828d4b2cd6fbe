# What make was given, checked before anything is done: a target or a variable that does not exist is told with what may
# be meant, and a variable that no given target reads with what they read. No Python is started for that.

# Only what stands on the command line counts, as a shell may hold an ENV or a DATA for other ends.
given := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
# make would hand them on under their own names too, and expand a $ in them for that.
unexport $(given)

makefiles := Makefile $(filter-out Makefile esteira/setup/%,$(MAKEFILE_LIST))
TARGETS := $(shell sed -n 's/^\([a-z][a-z-]*\):.*\#\# .*/\1/p' Makefile)
# What people call them elsewhere.
TARGETS_ALSO := ask=predict build=images history=releases init=setup install=setup list=releases ls=releases \
  query=requests run=deploy start=deploy-full train=deploy-full undo=rollback up=deploy-full validate=check
VARIABLES_ALSO := COUNT=LIMIT CSV=DATA ID=RELEASE INPUT=FILE N=LIMIT PROJECT=ENV
goals := $(or $(MAKECMDGOALS),help)
# Behind help, targets are named and not made.
asked := $(if $(filter help,$(goals)),$(filter-out help,$(goals)))
# A fork's own: those of a GNUmakefile that includes Makefile, say. What variables they take is theirs to tell.
other := $(filter-out $(TARGETS) $(if $(asked),$(VARIABLES)),$(goals))
OWN := $(if $(other),$(filter-out $(TARGETS),$(shell sed -n 's/^\([A-Za-z0-9][A-Za-z0-9_.-]*\):\([^=].*\)*$$/\1/p' $(makefiles))))
# A make that something here runs takes variables of its own.
MAKEOVERRIDES :=

comma := ,
space := $(subst ,, )
listed = $(subst $(space),$(comma)$(space),$(strip $1))
either = $(if $1,$(call listed,$(filter-out $(lastword $1),$1)) or $(lastword $1))
commands = $(subst make_,make ,$(call listed,$(addprefix make_,$1)))
quoted = '$(subst ','\'',$1)'
closest = $(shell sh esteira/setup/closest.sh $(call quoted,$1) $(foreach w,$2,$(call quoted,$w)))
meant = $(if $2, Perhaps you meant $1$2.)
# stop LINES: tell what is wrong, each line quoted, and end.
stop = $(shell printf '%s\n' $1 >&2)$(error Nothing was done)
takes = make $1 takes $(or $(call listed,$(foreach v,$(VARIABLES),$(if $(filter $1,$($v_OF)),$v))),no other than $(call listed,$(OF_EVERY_TARGET))).
what_each_takes = $(foreach g,$(filter-out help,$(goals)),$(call quoted,$(call takes,$g)))

wrong := $(firstword $(filter-out $(OWN),$(other)))
ifneq ($(wrong),)
near := $(call closest,$(wrong),$(TARGETS) $(OWN) $(TARGETS_ALSO))
$(call stop,$(call quoted,$(wrong): no such target.$(call meant,make ,$(near)) Run: make help))
endif

ifeq ($(filter $(OWN),$(goals)),)
wrong := $(firstword $(filter-out $(VARIABLES) MAKEFLAGS SHELL,$(given)))
ifneq ($(wrong),)
near := $(call closest,$(wrong),$(VARIABLES) $(VARIABLES_ALSO))
known := $(or $(what_each_takes),$(call quoted,Known: $(call listed,$(VARIABLES)).))
$(call stop,$(call quoted,$(wrong): no such variable.$(call meant,,$(near))) $(known))
endif

ifeq ($(asked),)
wrong := $(firstword $(foreach v,$(filter-out $(OF_EVERY_TARGET),$(filter $(VARIABLES),$(given))),$(if $(filter $(goals),$($v_OF)),,$v)))
ifneq ($(wrong),)
told := $(wrong): $(if $(word 2,$(goals)),none of $(call commands,$(goals)) takes it.,make $(goals) does not take it.)
whose := $(if $(word 12,$($(wrong)_OF)),,$(call quoted,$(wrong) is for $(call commands,$($(wrong)_OF)).))
$(call stop,$(call quoted,$(told)) $(what_each_takes) $(whose))
endif
endif
endif

# What make help TARGET and make help VARIABLE print: lines of kind|name|text, as help.sh reads them.
ifneq ($(asked),)
# Nothing but the help is run: to any other recipe the shell gets ":" in its place.
.SHELLFLAGS := -c :
help: .SHELLFLAGS := -c
$(filter $(VARIABLES),$(asked)): ; @:
text_of = $(shell sed -n 's/^$1:.*\#\# //p' $(makefiles))
about_variable = $(call quoted,value|$($1_EXAMPLE)|$($1_MEANS)) $(call quoted,more||$(or $(call either,$(or $($1_MAY_BE_$2),$(if $2,$($1_MAY_BE)))),$($1_VALUES)); without it: $($1_ELSE))
about_target = $(call quoted,command|$1|$(call text_of,$1)) line $(foreach v,$(VARIABLES),$(if $(filter $1,$($v_OF)),$(call about_variable,$v,$1))) \
  $(call quoted,text||Like every target it takes $(call listed,$(OF_EVERY_TARGET)).)
about = $(foreach a,$(asked),$(if $(filter $(VARIABLES),$a),$(call about_variable,$a) $(call quoted,more||$(if $($a_OF),of $(call commands,$($a_OF)),of every target)),$(call about_target,$a)))
endif
