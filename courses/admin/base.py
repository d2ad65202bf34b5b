"""What all admin pages share: their scope, and saving through services, whose refusals become errors in the form."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import ForeignKey, QuerySet
from django.forms.fields import InvalidJSONInput
from django.forms.models import ModelChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.models import User
from core.errors import DomainError, FieldError
from courses.admin.scopes import scoped

# Where `ServiceAdmin` notes on a request that a service refused it.
REFUSAL = "admin_refusal"


def actor_of(request: HttpRequest) -> User:
    """Who acts; `AssayAdminSite.has_permission` let nobody else in than users."""
    return cast(User, request.user)


def told(error: DomainError) -> str:
    """A refusal as one sentence for a message."""
    return " ".join(f"{fault.pointer.removeprefix('#/')}: {fault.detail}" for fault in error.errors) or error.detail


class TextAreaField(forms.CharField):
    """A text in which every space counts. Browsers send CRLF for each line's end: that is no change of the text."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        return _with_plain_newlines(str(super().to_python(value)))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(_with_plain_newlines(initial or ""), _with_plain_newlines(data or ""))


class JSONTextField(forms.JSONField):
    """JSON as text; what Python's parser gives up on is an error of the author's, too."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (RecursionError, ValueError) as error:
            raise forms.ValidationError("This is no JSON that can be read.", code="invalid") from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except (RecursionError, ValueError):
            return InvalidJSONInput(data)


def _with_plain_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class ServiceForm(forms.ModelForm):
    """A form whose row is written by a service; `refusal` is what that had against it."""

    refusal: DomainError | None = None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        # A text that only looks different as the browser sends it stays as it was.
        for name, field in self.fields.items():
            if isinstance(field, TextAreaField) and name in self.cleaned_data and name not in self.changed_data:
                self.cleaned_data[name] = self.get_initial_for_field(field, name) or ""
        if self.refusal is not None:
            for fault in self.refusal.errors:
                self.add_fault(fault)
            if not self.refusal.errors:
                self.add_error(None, self.refusal.detail)
        return cleaned

    def add_fault(self, fault: FieldError) -> None:
        """Show a service's error at its field, or above the form where it has none."""
        parts = fault.pointer.removeprefix("#/").split("/")
        name = next((part for part in parts[:2] if part in self.fields), None)
        if name is None or len(parts) > 2:
            detail = f"{'/'.join(parts)}: {fault.detail}" if parts != ["#"] else fault.detail
            self.add_error(name, forms.ValidationError(detail, code=fault.code))
        else:
            self.add_error(name, forms.ValidationError(fault.detail, code=fault.code))


class ScopedAdmin(admin.ModelAdmin):
    """A model's rows within the scope of who looks; to be read, unless a subclass says more."""

    list_per_page = 50
    show_full_result_count = False
    actions_on_bottom = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        ordering = self.get_ordering(request)
        rows = scoped(self.model, request.user)
        return rows.order_by(*ordering) if ordering else rows

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField:
        kwargs["queryset"] = scoped(db_field.related_model, request.user)
        return cast(ModelChoiceField, super().formfield_for_foreignkey(db_field, request, **kwargs))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows beyond the scope are not even found."""
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without Django's own deleting in bulk, which would pass the services by."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


class ServiceAdmin(ScopedAdmin):
    """Rows that are changed through services: what one refuses is told in the form, and nothing is written.

    Subclasses say how: `row_create` and `row_update` are given the form, `row_delete` the row.
    """

    form = ServiceForm

    def row_create(self, actor: User, form: Any) -> Any:
        raise NotImplementedError

    def row_update(self, actor: User, row: Any, form: Any) -> Any:
        raise NotImplementedError

    def row_delete(self, actor: User, row: Any) -> None:
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._has("row_create")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._has("row_update")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._has("row_delete")

    def _has(self, name: str) -> bool:
        return getattr(type(self), name) is not getattr(ServiceAdmin, name)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form_class: Any = super().get_form(request, obj, change=change, **kwargs)
        form_class.refusal = getattr(request, REFUSAL, None)
        return form_class

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page again, with errors, where a service refuses: its transaction is rolled back by then."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as error:
            setattr(request, REFUSAL, error)
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = actor_of(request)
        saved = self.row_update(actor, obj, form) if change else self.row_create(actor, form)
        obj.pk = saved.pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.row_delete(actor_of(request), obj)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as error:
            self.message_user(request, told(error), messages.ERROR)
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What the confirmation lists: the rows themselves. The service decides about what hangs on them."""
        return [str(obj) for obj in objs], {}, set(), []

    def act_on_each(
        self, request: HttpRequest, rows: QuerySet[Any], act: Callable[[User, Any], object], done: str
    ) -> None:
        """Do something to each selected row, each in a transaction of its own, and report what became of it."""
        for row in rows:
            try:
                act(actor_of(request), row)
            except DomainError as error:
                self.message_user(request, f"{row}: {told(error)}", messages.ERROR)
            else:
                self.message_user(request, f"{row}: {done}", messages.SUCCESS)
